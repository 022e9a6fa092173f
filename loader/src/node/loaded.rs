//! What is loaded, as the kernel says it: the cell, the outer maps and the resident generations.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Error;
use crate::kernel::generation::Generation;
use crate::kernel::pins::{self, Pins};
use crate::kernel::shared::Shared;
use crate::record::Record;

/// A generation whose maps are pinned, and sit in one slot of all outer maps.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) tables: Generation,
    pub(crate) slot: u16,
    pub(crate) directory: PathBuf,
    /// `None` where no version of lrpc wrote the tables.
    pub(crate) record: Option<Record>,
}

/// What is loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) shared: Shared,
    /// The generation and slot that the cell names.
    pub(crate) active: u64,
    pub(crate) slot: u16,
    pub(crate) resident: BTreeMap<u64, Resident>,
}

impl Loaded {
    /// Reads what is loaded; `None` where the cell says nothing, or is not there. The caller holds the lock.
    pub(crate) fn read(pins: &Pins) -> Result<Option<Self>, Error> {
        let Some(shared) = Shared::open(pins)? else {
            return Ok(None);
        };
        let cell = shared.active();
        let Some(active) = cell.generation() else {
            return Ok(None);
        };
        let occupants = shared.occupants()?;
        let mut directories: Vec<_> = pins::numbers(&pins.generations())?
            .into_iter()
            .map(|generation| (generation, pins.resident(generation)))
            .collect();
        // A loader that died right after its flip has left the active generation under its staging name.
        directories.push((active, pins.staged(active)));
        let mut resident = BTreeMap::new();
        for (generation, directory) in directories {
            let Some(tables) = Generation::open(&directory)? else { continue };
            let ids = tables.ids();
            let slot =
                occupants.iter().position(|slot| *slot == ids).and_then(|slot| u16::try_from(slot).ok());
            if let Some(slot) = slot {
                let record = tables.record(&directory)?;
                resident.insert(generation, Resident { tables, slot, directory, record });
            }
        }
        Ok(Some(Self { shared, active, slot: cell.slot(), resident }))
    }

    /// The active generation; `None` where the cell names no resident one.
    pub(crate) fn active(&self) -> Option<&Resident> {
        self.resident.get(&self.active).filter(|resident| resident.slot == self.slot)
    }

    /// The active generation's record.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.active()?.record.as_ref()
    }

    /// The numbers of the resident generations, ascending.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.resident.keys().copied().collect()
    }
}
