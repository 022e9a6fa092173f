//! What all generations share: the cell, and the outer map of each table.
//!
//! INVARIANT: a slot is emptied only if it was inactive before the present writer's first outer update, or
//! was never active. Every outer update returns after a grace period of the kernel, so no program run that
//! read the cell before still looks into such a slot.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::thread;

use lrpc_schema::records::{
    BACKENDS, Backend, Cell, FRONTENDS, FrontendKey, FrontendValue, META_SIZE, TABLES,
};

use super::pins::{self, Pins};
use super::sys::map::{Kind, Map, Shape};
use super::sys::mapped::MappedWord;
use super::sys::{SysError, pin};

/// `BPF_F_MMAPABLE`: user space may map the array into its memory.
const MAPPABLE: u32 = 1 << 10;
/// `BPF_F_INNER_MAP`: arrays of different sizes may sit in the slots of one outer map.
const INNER: u32 = 1 << 12;

const CELL_SHAPE: Shape =
    Shape { kind: Kind::Array, key_size: 4, value_size: 8, max_entries: 1, flags: MAPPABLE };

/// The shape of a table with room for `entries`, of which there is at least one in every map.
pub(crate) fn table_shape(table: &str, entries: usize) -> Shape {
    let number = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
    let max_entries = number(entries.max(1));
    let array =
        |size| Shape { kind: Kind::Array, key_size: 4, value_size: number(size), max_entries, flags: INNER };
    match table {
        FRONTENDS => Shape {
            kind: Kind::Hash,
            key_size: number(FrontendKey::SIZE),
            value_size: number(FrontendValue::SIZE),
            max_entries,
            flags: 0,
        },
        BACKENDS => array(Backend::SIZE),
        _ => array(META_SIZE),
    }
}

/// The cell and the outer maps, in the order of [`TABLES`].
#[derive(Debug)]
pub(crate) struct Shared {
    cell: MappedWord,
    outers: Vec<Map>,
    slots: u16,
}

/// The pinned cell or outer maps cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedError {
    /// A pinned map is missing or has another shape.
    #[error("the pinned map `{map}` is missing or not as this version makes it")]
    Shape {
        /// The directory of pins.
        bpffs: PathBuf,
        /// The map's name.
        map: String,
    },
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] SysError),
}

impl Shared {
    /// Creates and pins them, the cell saying that nothing is loaded.
    pub(crate) fn create(pins: &Pins, slots: u16) -> Result<Self, SysError> {
        pins::make(&pins.outers())?;
        pins::make(&pins.staging())?;
        pins::make(&pins.generations())?;
        let mut outers = Vec::new();
        for table in TABLES {
            let template = Map::create(table, table_shape(table, 1), None)?;
            let shape = Shape {
                kind: Kind::ArrayOfMaps,
                key_size: 4,
                value_size: 4,
                max_entries: slots.into(),
                flags: 0,
            };
            let outer = Map::create(table, shape, Some(&template))?;
            pin(outer.as_fd(), &pins.outer(table))?;
            outers.push(outer);
        }
        let cell = Map::create("cell", CELL_SHAPE, None)?;
        pin(cell.as_fd(), &pins.cell())?;
        Ok(Self { cell: MappedWord::of(&cell)?, outers, slots })
    }

    /// Opens the pinned ones; `None` where nothing is loaded.
    pub(crate) fn open(pins: &Pins) -> Result<Option<Self>, SharedError> {
        let misshapen = |map: &str| SharedError::Shape { bpffs: pins.root().to_owned(), map: map.to_owned() };
        let Some(cell) = Map::open(&pins.cell())? else {
            return Ok(None);
        };
        if cell.shape() != CELL_SHAPE {
            return Err(misshapen(cell.name()));
        }
        let cell = MappedWord::of(&cell)?;
        if Cell::from_word(cell.load()).generation().is_none() {
            return Ok(None);
        }
        let mut outers = Vec::new();
        let mut slots = None;
        for table in TABLES {
            let outer = Map::open(&pins.outer(table))?.ok_or_else(|| misshapen(table))?;
            let shape = outer.shape();
            let expected = Shape { kind: Kind::ArrayOfMaps, key_size: 4, value_size: 4, flags: 0, ..shape };
            if shape != expected || *slots.get_or_insert(shape.max_entries) != shape.max_entries {
                return Err(misshapen(table));
            }
            outers.push(outer);
        }
        let slots = slots.and_then(|slots| u16::try_from(slots).ok());
        let slots = slots.ok_or_else(|| misshapen(FRONTENDS))?;
        Ok(Some(Self { cell, outers, slots }))
    }

    /// What the cell says.
    pub(crate) fn active(&self) -> Cell {
        Cell::from_word(self.cell.load())
    }

    /// The commit: one store of eight bytes.
    pub(crate) fn flip(&self, to: Cell) {
        self.cell.store(to.word());
    }

    /// How many slots each outer map has.
    pub(crate) fn slots(&self) -> u16 {
        self.slots
    }

    /// For each slot the ids of the maps in it, in the order of [`TABLES`].
    pub(crate) fn occupants(&self) -> Result<Vec<Vec<Option<u32>>>, SysError> {
        (0..self.slots)
            .map(|slot| self.outers.iter().map(|outer| outer.slot(slot.into())).collect())
            .collect()
    }

    /// Puts a generation's maps into a slot of all outer maps, concurrently, so that they share one grace
    /// period instead of waiting for one each.
    pub(crate) fn put(&self, slot: u16, maps: &[Map]) -> Result<(), SysError> {
        self.concurrently(|outer, map| outer.put_slot(slot.into(), map), maps)
    }

    /// Empties slots of all outer maps.
    pub(crate) fn clear(&self, slots: &[u16]) -> Result<(), SysError> {
        let clear = |outer: &Map, (): &()| slots.iter().try_for_each(|&slot| outer.clear_slot(slot.into()));
        self.concurrently(clear, &[(); TABLES.len()])
    }

    fn concurrently<T: Sync>(
        &self,
        update: impl Fn(&Map, &T) -> Result<(), SysError> + Sync,
        operands: &[T],
    ) -> Result<(), SysError> {
        let update = &update;
        thread::scope(|scope| {
            let updates: Vec<_> = self
                .outers
                .iter()
                .zip(operands)
                .map(|(outer, operand)| scope.spawn(move || update(outer, operand)))
                .collect();
            // Every thread is waited for, so that no update is still going on when an error is returned.
            let results: Vec<_> = updates.into_iter().map(thread::ScopedJoinHandle::join).collect();
            results.into_iter().try_for_each(|result| match result {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }
}
