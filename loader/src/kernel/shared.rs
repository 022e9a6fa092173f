//! What all generations share: the cell, and the outer map of each table.
//!
//! INVARIANT: what a slot holds changes only where every program run that read the slot from the cell has
//! ended: it never was in the cell, or a grace period of the kernel (the return of an outer update) lies
//! between its last flip and the change. `docs/design/swap.md` has the argument.

use std::os::fd::AsFd;
use std::thread;

use lrpc_schema::records::{
    Backend, CELL, Cell, FrontendKey, FrontendValue, MEMBER, META_SIZE, MemberKey, Slot, Switches, Table,
};

use super::pins::{Folder, PinError, Pins};
use super::sys::gate;
use super::sys::map::{Kind, Map, Shape};
use super::sys::mapped::MappedWord;
use super::sys::{Access, SysError};
use super::writer::{Reader, Writer};
use crate::fs::FsError;

/// `BPF_F_MMAPABLE`: user space may map the array into its memory.
const MAPPABLE: u32 = 1 << 10;
/// `BPF_F_INNER_MAP`: arrays of different sizes may sit in the slots of one outer map.
const INNER: u32 = 1 << 12;

/// Which word of the cell says what is active.
const ACTIVE: u32 = 0;
/// Which word of it has the switches.
const SWITCHES: u32 = 1;

const CELL_SHAPE: Shape =
    Shape { kind: Kind::Array, key_size: 4, value_size: 8, max_entries: 2, flags: MAPPABLE };

/// The shape of a table with room for `entries`, of which there is at least one in every map.
pub(crate) fn table_shape(table: Table, entries: usize) -> Shape {
    let number = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
    let max_entries = number(entries.max(1));
    let array =
        |size| Shape { kind: Kind::Array, key_size: 4, value_size: number(size), max_entries, flags: INNER };
    let hash = |key_size, value_size| {
        let (key_size, value_size) = (number(key_size), number(value_size));
        Shape { kind: Kind::Hash, key_size, value_size, max_entries, flags: 0 }
    };
    match table {
        Table::Frontends => hash(FrontendKey::SIZE, FrontendValue::SIZE),
        Table::Backends => array(Backend::SIZE),
        Table::Members => hash(MemberKey::SIZE, size_of_val(&MEMBER)),
        Table::Filter => array(size_of::<u64>()),
        Table::Meta => array(META_SIZE),
    }
}

/// The cell and the outer maps, in the order of [`Table::ALL`].
#[derive(Debug)]
pub(crate) struct Shared {
    cell: Map,
    outers: Vec<Map>,
    slots: u16,
}

/// The pinned cell or outer maps cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedError {
    /// A pinned map is missing or has another shape.
    #[error("the pinned map `{0}` is missing or not as this version makes it")]
    Shape(String),
    /// A pin cannot be used.
    #[error(transparent)]
    Pin(#[from] PinError),
}

impl From<SysError> for SharedError {
    fn from(error: SysError) -> Self {
        Self::Pin(error.into())
    }
}

impl From<FsError> for SharedError {
    fn from(error: FsError) -> Self {
        Self::Pin(error.into())
    }
}

impl Shared {
    /// Creates and pins them, the cell saying that nothing is loaded. What was pinned in their place goes
    /// first: no attached program uses it, or those that do keep it alive.
    pub(crate) fn create(writer: &Writer, slots: u16) -> Result<Self, SharedError> {
        writer.remove(&Folder::Tables)?;
        for folder in [Folder::Staging, Folder::Generations, Folder::Surplus, Folder::Order] {
            writer.make(&folder)?;
        }
        let directory = writer.make(&Folder::Outers)?;
        let mut outers = Vec::new();
        for table in Table::ALL {
            let template = Map::create(table.name(), table_shape(table, 1), None)?;
            let shape = Shape {
                kind: Kind::ArrayOfMaps,
                key_size: 4,
                value_size: 4,
                max_entries: slots.into(),
                flags: 0,
            };
            let outer = Map::create(table.name(), shape, Some(&template))?;
            writer.pin(outer.as_fd(), &directory, table.name())?;
            outers.push(outer);
        }
        let cell = Map::create(CELL, CELL_SHAPE, None)?;
        writer.pin(cell.as_fd(), &writer.make(&Folder::Tables)?, CELL)?;
        Ok(Self { cell, outers, slots })
    }

    /// Opens the pinned ones; `None` where the cell is not there or names nothing.
    pub(crate) fn open(reader: &Reader) -> Result<Option<(Self, Cell)>, SharedError> {
        let misshapen = |map: &str| SharedError::Shape(map.to_owned());
        let access = reader.access();
        let Some(cell) = open(reader, &Folder::Tables, CELL, access)? else {
            return Ok(None);
        };
        if cell.shape() != CELL_SHAPE {
            return Err(misshapen(CELL));
        }
        let named = active(&cell)?;
        if named.generation().is_none() {
            return Ok(None);
        }
        let mut outers = Vec::new();
        let mut slots = None;
        for table in Table::ALL {
            let outer = open(reader, &Folder::Outers, table.name(), access)?
                .ok_or_else(|| misshapen(table.name()))?;
            let shape = outer.shape();
            let expected = Shape { kind: Kind::ArrayOfMaps, key_size: 4, value_size: 4, flags: 0, ..shape };
            if shape != expected || *slots.get_or_insert(shape.max_entries) != shape.max_entries {
                return Err(misshapen(table.name()));
            }
            outers.push(outer);
        }
        let slots = slots.and_then(|slots| u16::try_from(slots).ok());
        let slots = slots.ok_or_else(|| misshapen(Table::Frontends.name()))?;
        Ok(Some((Self { cell, outers, slots }, named)))
    }

    /// The ids of the maps that programs look up, by the name under which they are pinned.
    pub(crate) fn used_by_programs(&self) -> Vec<(&'static str, u32)> {
        let outers = Table::ALL.iter().zip(&self.outers).map(|(table, map)| (table.name(), map.id()));
        [(CELL, self.cell.id())].into_iter().chain(outers).collect()
    }

    /// The cell's word in our own memory, so that the flip cannot fail.
    pub(crate) fn lever(&self, _writer: &Writer) -> Result<Lever, SysError> {
        MappedWord::of(&self.cell, ACTIVE).map(Lever)
    }

    /// What is switched on beside the redirects.
    pub(crate) fn switches(&self) -> Result<Switches, SysError> {
        self.cell.word(SWITCHES).map(Switches::from_word)
    }

    /// The switches' word in our own memory.
    pub(super) fn switch(&self) -> Result<Switch, SysError> {
        Switch::of(&self.cell)
    }

    /// How many slots each outer map has.
    pub(crate) fn slots(&self) -> u16 {
        self.slots
    }

    /// For each slot the ids of the maps in it, in the order of [`Table::ALL`].
    pub(crate) fn occupants(&self) -> Result<Vec<Vec<Option<u32>>>, SysError> {
        (0..self.slots)
            .map(|slot| self.outers.iter().map(|outer| outer.slot(slot.into())).collect())
            .collect()
    }

    /// Puts a generation's maps into a slot of all outer maps and empties others, all concurrently, so that
    /// they share one grace period instead of waiting for one each.
    pub(crate) fn put(
        &self,
        _writer: &Writer,
        slot: Slot,
        maps: &[Map],
        emptied: &[Slot],
    ) -> Result<(), SysError> {
        let puts = self.outers.iter().zip(maps).map(|(outer, map)| Update::Put(outer, slot, map));
        let clears =
            self.outers.iter().filter(|_| !emptied.is_empty()).map(|outer| Update::Clear(outer, emptied));
        concurrently(&puts.chain(clears).collect::<Vec<_>>())
    }

    /// Empties slots of all outer maps.
    pub(crate) fn clear(&self, _writer: &Writer, slots: &[Slot]) -> Result<(), SysError> {
        concurrently(&self.outers.iter().map(|outer| Update::Clear(outer, slots)).collect::<Vec<_>>())
    }
}

/// What a pinned cell says.
pub(super) fn active(cell: &Map) -> Result<Cell, SysError> {
    cell.word(ACTIVE).map(Cell::from_word)
}

/// Opens a pinned map; what is there and is no map is one of another shape.
pub(super) fn open(
    pins: &Pins,
    folder: &Folder,
    name: &str,
    access: Access,
) -> Result<Option<Map>, SharedError> {
    match pins.map(folder, name, access) {
        Err(PinError::Kernel(error)) if error.is_foreign() => Err(SharedError::Shape(name.to_owned())),
        opened => Ok(opened?),
    }
}

/// The commit: the cell, mapped.
#[derive(Debug)]
pub(crate) struct Lever(MappedWord);

impl Lever {
    /// What the cell says.
    pub(crate) fn cell(&self) -> Cell {
        Cell::from_word(self.0.load())
    }

    /// Stores the cell: eight bytes, once.
    pub(crate) fn flip(&self, _writer: &Writer, to: Cell) {
        self.0.store(to.word());
    }
}

/// The switches, mapped. No connect sees them.
#[derive(Debug)]
pub(super) struct Switch(MappedWord);

impl Switch {
    /// The switches beside a cell.
    pub(super) fn of(cell: &Map) -> Result<Self, SysError> {
        MappedWord::of(cell, SWITCHES).map(Self)
    }

    /// Stores the switches.
    pub(super) fn set(&self, to: Switches) {
        self.0.store(to.word());
    }
}

/// A change of one outer map. Each returns after a grace period of the kernel.
#[derive(Clone, Copy, Debug)]
enum Update<'a> {
    Put(&'a Map, Slot, &'a Map),
    Clear(&'a Map, &'a [Slot]),
}

impl Update<'_> {
    fn perform(self) -> Result<(), SysError> {
        match self {
            Self::Put(outer, slot, map) => outer.put_slot(slot.get().into(), map),
            Self::Clear(outer, slots) => {
                slots.iter().try_for_each(|slot| outer.clear_slot(slot.get().into()))
            }
        }
    }
}

/// Performs updates in a thread each. Where no thread can be had, the update is done here, before the next.
/// Every one is waited for, so that none is still going on when an error is returned.
fn concurrently<'a>(updates: &[Update<'a>]) -> Result<(), SysError> {
    thread::scope(|scope| {
        let start = |update: Update<'a>| {
            let inherited = gate::Inherited::of_this_thread();
            let spawned = gate::enter("clone3(2)").and_then(|()| {
                thread::Builder::new().spawn_scoped(scope, move || inherited.run(|| update.perform()))
            });
            spawned.map_err(|_no_thread| update.perform())
        };
        let (last, others) = match updates.split_last() {
            Some((last, others)) => (Some(*last), others),
            None => (None, updates),
        };
        let started: Vec<_> = others.iter().map(|update| start(*update)).collect();
        let here = last.map_or(Ok(()), Update::perform);
        let results: Vec<_> = started
            .into_iter()
            .map(|started| match started {
                Ok(thread) => match thread.join() {
                    Ok(result) => result,
                    Err(panic) => std::panic::resume_unwind(panic),
                },
                Err(done) => done,
            })
            .collect();
        results.into_iter().chain([here]).collect()
    })
}
