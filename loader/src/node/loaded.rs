//! What is loaded, as the kernel says it: the cell, the outer maps and the resident generations.

use std::collections::BTreeMap;

use lrpc_schema::records::{CELL, Generation, Hook, Slot, Table};

use super::Error;
use crate::kernel::hooks::{program_of, stranger};
use crate::kernel::inner::InnerMaps;
use crate::kernel::order::Order;
use crate::kernel::pins::{Folder, PinError, PinnedLink, Pins};
use crate::kernel::shared::Shared;
use crate::kernel::sys::link::Program;
use crate::kernel::writer::Reader;
use crate::record::{Record, RecordError};
use crate::tables::Packed;

/// A generation whose maps are pinned, and sit in one slot of all outer maps.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) tables: InnerMaps,
    pub(crate) slot: Slot,
    pub(crate) folder: Folder,
    /// What it says of itself, if this lrpc understands it.
    pub(crate) record: Result<Record, RecordError>,
}

/// A generation that was resident until lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Surplus {
    pub(crate) generation: Generation,
    /// The slot that it is still in.
    pub(crate) slot: Option<Slot>,
}

/// What is loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) shared: Shared,
    /// The generation and slot that the cell names.
    pub(crate) active: Generation,
    pub(crate) slot: Slot,
    pub(crate) resident: BTreeMap<Generation, Resident>,
    pub(crate) surplus: Vec<Surplus>,
    pub(crate) order: Order,
}

/// What an instance's pins and hooks show.
#[derive(Debug)]
pub(crate) enum Found {
    /// The cell says that nothing is loaded, or nothing is there.
    Nothing,
    /// Programs of ours act, by a map that is not the pinned one: what they do cannot be read, and goes on.
    Orphaned(&'static str),
    /// What the cell names.
    Loaded(Box<Loaded>),
}

impl Found {
    /// Reads what is there.
    pub(crate) fn read(reader: &Reader) -> Result<Self, Error> {
        let acting = acting(reader)?;
        let Some((shared, cell)) = Shared::open(reader)? else {
            return Ok(match lost_cell(reader, &acting)? {
                true => Self::Orphaned(CELL),
                false => Self::Nothing,
            });
        };
        let Some(active) = cell.generation() else {
            return Ok(Self::Nothing);
        };
        let maps = shared.used_by_programs();
        let mut lost = None;
        for (hook, program) in &acting {
            match stranger(program, *hook, &maps)? {
                Some(map) => lost = Some(map),
                None if hook.decides() => return Loaded::read(reader, shared, active, cell.slot()),
                None => {}
            }
        }
        match lost {
            Some(map) => Ok(Self::Orphaned(map)),
            None => Loaded::read(reader, shared, active, cell.slot()),
        }
    }

    /// What is loaded, where the cell names something.
    pub(crate) fn loaded(&self) -> Option<&Loaded> {
        match self {
            Self::Loaded(loaded) => Some(loaded),
            Self::Nothing | Self::Orphaned(_) => None,
        }
    }
}

/// Our programs that are attached, by hook.
fn acting(pins: &Pins) -> Result<Vec<(Hook, Program)>, PinError> {
    let mut acting = Vec::new();
    for hook in Hook::ALL {
        if let PinnedLink::Link(link) = pins.link(hook)?
            && link.cgroup() != 0
            && let Some((_, program)) = program_of(pins, hook, link.program())?
        {
            acting.push((hook, program));
        }
    }
    Ok(acting)
}

/// Whether programs act by another cell than the pinned one, which is missing or names nothing.
fn lost_cell(reader: &Reader, acting: &[(Hook, Program)]) -> Result<bool, Error> {
    let cell = match reader.map(&Folder::Tables, CELL, reader.access()) {
        Ok(cell) => cell.map_or(0, |cell| cell.id()),
        Err(PinError::Kernel(error)) if error.is_foreign() => 0,
        Err(error) => return Err(error.into()),
    };
    for (hook, program) in acting {
        if stranger(program, *hook, &[(CELL, cell)])?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Loaded {
    fn read(reader: &Reader, shared: Shared, active: Generation, slot: Slot) -> Result<Found, Error> {
        let occupants = shared.occupants()?;
        let slot_of = |tables: &InnerMaps| {
            let ids = tables.ids();
            let place = occupants.iter().position(|slot| *slot == ids)?;
            u16::try_from(place).ok().map(Slot::new)
        };
        let mut folders: Vec<_> = reader
            .numbers(&Folder::Generations)?
            .into_iter()
            .map(|generation| (generation, Folder::Resident(generation)))
            .collect();
        // A loader that died right after its flip has left the active generation under its staging name.
        folders.push((active, Folder::Staged(active)));
        let mut resident = BTreeMap::new();
        for (generation, folder) in folders {
            let Some(tables) = InnerMaps::open(reader, &folder, reader.access())? else { continue };
            if let Some(slot) = slot_of(&tables) {
                let record = tables.record(reader, &folder, reader.access())?;
                resident.insert(generation, Resident { tables, slot, folder, record });
            }
        }
        let mut surplus = Vec::new();
        for generation in reader.numbers(&Folder::Surplus)? {
            let tables = InnerMaps::open(reader, &Folder::Demoted(generation), reader.access())?;
            surplus.push(Surplus { generation, slot: tables.as_ref().and_then(slot_of) });
        }
        let order = Order::read(reader)?;
        Ok(Found::Loaded(Box::new(Self { shared, active, slot, resident, surplus, order })))
    }

    /// The active generation; `None` where the cell names no resident one.
    pub(crate) fn active(&self) -> Option<&Resident> {
        self.resident.get(&self.active).filter(|resident| resident.slot == self.slot)
    }

    /// The active generation's record; `None` where the cell names no resident one.
    ///
    /// # Errors
    /// Another lrpc recorded it.
    pub(crate) fn record(&self) -> Result<Option<&Record>, Error> {
        match self.active().map(|active| active.record.as_ref()) {
            None => Ok(None),
            Some(Ok(record)) => Ok(Some(record)),
            Some(Err(&source)) => Err(Error::RecordedByAnother { generation: self.active, source }),
        }
    }

    /// The active generation's tables, read back.
    pub(crate) fn tables(&self) -> Result<Vec<(Table, Packed)>, Error> {
        Ok(self.active().ok_or(Error::NotResident(self.active))?.tables.read()?)
    }

    /// The numbers of the resident generations, ascending.
    pub(crate) fn numbers(&self) -> Vec<Generation> {
        self.resident.keys().copied().collect()
    }

    /// The slots of what is resident and surplus, and the active one.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let resident = self.resident.values().map(|resident| resident.slot);
        let surplus = self.surplus.iter().filter_map(|surplus| surplus.slot);
        resident.chain(surplus).chain([self.slot]).collect()
    }
}
