//! One generation's tables in the kernel: fresh maps at exact size, written once, read back, frozen, pinned.

use std::os::fd::AsFd;
use std::path::Path;

use lrpc_schema::image::Digest;
use lrpc_schema::records::{META, Meta, TABLES};

use super::pins;
use super::shared::table_shape;
use super::sys::map::Map;
use super::sys::{SysError, pin};
use crate::record::Record;
use crate::tables::{self, Packed};

/// The name of the pin that amends a generation's record.
const AMENDED: &str = "amended";
/// Under which an amendment is pinned before it takes its name.
const AMENDING: &str = "amending";

/// Creates a table's map and fills it; no program can see it.
pub(crate) fn build(table: &str, entries: &Packed) -> Result<Map, SysError> {
    let map = Map::create(table, table_shape(table, entries.len()), None)?;
    map.fill(&entries.keys, &entries.values)?;
    Ok(map)
}

/// The tables of one generation as the kernel holds them.
#[derive(Debug)]
pub(crate) struct Generation {
    maps: Vec<Map>,
}

impl Generation {
    /// A generation of maps in the order of [`TABLES`].
    pub(crate) fn new(maps: Vec<Map>) -> Self {
        Self { maps }
    }

    /// Opens the maps pinned in a directory; `None` if one is missing or is no table of ours.
    pub(crate) fn open(directory: &Path) -> Result<Option<Self>, SysError> {
        let mut maps = Vec::new();
        for table in TABLES {
            match Map::open(&directory.join(table))? {
                Some(map) if map.shape() == table_shape(table, map.shape().max_entries as usize) => {
                    maps.push(map)
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(Self { maps }))
    }

    pub(crate) fn maps(&self) -> &[Map] {
        &self.maps
    }

    /// The ids of the maps, in the order of [`TABLES`], as [`Shared::occupants`](super::shared::Shared)
    /// gives them.
    pub(crate) fn ids(&self) -> Vec<Option<u32>> {
        self.maps.iter().map(|map| Some(map.id())).collect()
    }

    pub(crate) fn freeze(&self) -> Result<(), SysError> {
        self.maps.iter().try_for_each(Map::freeze)
    }

    /// Pins the maps in a directory.
    pub(crate) fn pin(&self, directory: &Path) -> Result<(), SysError> {
        pins::make(directory)?;
        for (table, map) in TABLES.iter().zip(&self.maps) {
            pin(map.as_fd(), &directory.join(table))?;
        }
        Ok(())
    }

    /// Reads the tables back, whole.
    pub(crate) fn read(&self) -> Result<Vec<(&'static str, Packed)>, SysError> {
        let read = |(table, map): (&&'static str, &Map)| {
            let (keys, values) = map.read()?;
            let shape = map.shape();
            let (key_size, value_size) = (shape.key_size as usize, shape.value_size as usize);
            Ok((*table, Packed { key_size, value_size, keys, values }))
        };
        TABLES.iter().zip(&self.maps).map(read).collect()
    }

    /// The resolved digest of what the kernel holds.
    pub(crate) fn digest(&self) -> Result<Digest, SysError> {
        let hashed = |(table, packed): (&'static str, Packed)| match table {
            META => (table, packed.cut(Meta::SIZE)),
            _ => (table, packed),
        };
        let read = self.read()?.into_iter().map(hashed);
        Ok(tables::digest(&read.collect::<Vec<_>>()))
    }

    /// What the generation says of itself: its amendment, else its own record.
    pub(crate) fn record(&self, directory: &Path) -> Result<Option<Record>, SysError> {
        let amended = Map::open(&directory.join(AMENDED))?;
        let own = self.maps.last();
        match amended.as_ref().filter(|map| map.shape() == table_shape(META, 1)).or(own) {
            Some(map) => Ok(Record::from_value(&map.read()?.1)),
            None => Ok(None),
        }
    }

    /// Replaces what the generation says of itself. Its own record is frozen with the tables, so the new one
    /// is a frozen map of its own, and one rename puts it in force: another image that resolves to the same
    /// bytes is recorded without a swap.
    pub(crate) fn amend(directory: &Path, value: &[u8]) -> Result<(), SysError> {
        let packed =
            Packed { key_size: 4, value_size: value.len(), keys: vec![0; 4], values: value.to_vec() };
        let map = build(META, &packed)?;
        map.freeze()?;
        let amending = directory.join(AMENDING);
        pins::remove(&amending)?;
        pin(map.as_fd(), &amending)?;
        pins::rename(&amending, &directory.join(AMENDED))
    }
}
