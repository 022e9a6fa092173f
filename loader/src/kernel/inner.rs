//! One generation's tables in the kernel: fresh maps at exact size, written once, read back, frozen, pinned.

use std::os::fd::AsFd;

use lrpc_schema::image::Digest;
use lrpc_schema::records::{FrontendKey, FrontendValue, Meta, Table};

use super::pins::{Folder, PinError, Pins};
use super::shared::table_shape;
use super::sys::map::Map;
use super::sys::{Access, SysError};
use super::writer::Writer;
use crate::record::{Record, RecordError};
use crate::tables::{self, Packed};

/// The name of the pin that amends a generation's record.
const AMENDED: &str = "amended";
/// Under which an amendment is pinned before it takes its name.
const AMENDING: &str = "amending";

/// Creates a table's map and fills it; no program can see it.
pub(crate) fn build(table: Table, entries: &Packed) -> Result<Map, SysError> {
    let map = Map::create(table.name(), table_shape(table, entries.len()), None)?;
    map.fill(&entries.keys, &entries.values)?;
    Ok(map)
}

/// The tables of one generation as the kernel holds them.
#[derive(Debug)]
pub(crate) struct InnerMaps {
    maps: Vec<Map>,
}

impl InnerMaps {
    /// A generation of maps in the order of [`Table::ALL`].
    pub(crate) fn new(maps: Vec<Map>) -> Self {
        Self { maps }
    }

    /// Opens the maps pinned in a directory; `None` if one is missing or is no table of ours.
    pub(crate) fn open(pins: &Pins, folder: &Folder, access: Access) -> Result<Option<Self>, PinError> {
        let Some(directory) = pins.open(folder)? else { return Ok(None) };
        let mut maps = Vec::new();
        for table in Table::ALL {
            match Map::open(&directory, table.name(), access) {
                Ok(Some(map)) if map.shape() == table_shape(table, map.shape().max_entries as usize) => {
                    maps.push(map)
                }
                Ok(_) => return Ok(None),
                Err(error) if error.is_foreign() => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(Self { maps }))
    }

    /// The entry of a frontend.
    pub(crate) fn frontend(&self, key: &FrontendKey) -> Result<Option<FrontendValue>, SysError> {
        let table = Table::ALL.iter().zip(&self.maps).find(|(table, _)| **table == Table::Frontends);
        let value = table.map(|(_, map)| map.value(&key.to_bytes())).transpose()?.flatten();
        let bytes = value.and_then(|value| <[u8; FrontendValue::SIZE]>::try_from(value).ok());
        Ok(bytes.map(|bytes| FrontendValue::from_bytes(&bytes)))
    }

    pub(crate) fn maps(&self) -> &[Map] {
        &self.maps
    }

    /// The ids of the maps, in the order of [`Table::ALL`], as [`Shared::occupants`](super::shared::Shared)
    /// gives them.
    pub(crate) fn ids(&self) -> Vec<Option<u32>> {
        self.maps.iter().map(|map| Some(map.id())).collect()
    }

    pub(crate) fn freeze(&self) -> Result<(), SysError> {
        self.maps.iter().try_for_each(Map::freeze)
    }

    /// Pins the maps in a directory.
    pub(crate) fn pin(&self, writer: &Writer, folder: &Folder) -> Result<(), PinError> {
        let directory = writer.make(folder)?;
        for (table, map) in Table::ALL.iter().zip(&self.maps) {
            writer.pin(map.as_fd(), &directory, table.name())?;
        }
        Ok(())
    }

    /// Reads the tables back, whole.
    pub(crate) fn read(&self) -> Result<Vec<(Table, Packed)>, SysError> {
        let read = |(table, map): (&Table, &Map)| {
            let (keys, values) = map.read()?;
            let shape = map.shape();
            let (key_size, value_size) = (shape.key_size as usize, shape.value_size as usize);
            Ok((*table, Packed { key_size, value_size, keys, values }))
        };
        Table::ALL.iter().zip(&self.maps).map(read).collect()
    }

    /// The resolved digest of what the kernel holds.
    pub(crate) fn digest(&self) -> Result<Digest, SysError> {
        let hashed = |(table, packed): (Table, Packed)| match table {
            Table::Meta => (table, packed.cut(Meta::SIZE)),
            Table::Frontends | Table::Backends | Table::Members | Table::Filter => (table, packed),
        };
        let read = self.read()?.into_iter().map(hashed);
        Ok(tables::digest(&read.collect::<Vec<_>>()))
    }

    /// What the generation says of itself: its amendment, else its own record.
    pub(crate) fn record(
        &self,
        pins: &Pins,
        folder: &Folder,
        access: Access,
    ) -> Result<Result<Record, RecordError>, PinError> {
        let amended = pins.map(folder, AMENDED, access)?;
        let own = self.maps.last();
        match amended.as_ref().filter(|map| map.shape() == table_shape(Table::Meta, 1)).or(own) {
            Some(map) => Ok(Record::from_value(&map.read()?.1)),
            None => Ok(Err(RecordError::Unreadable)),
        }
    }
}

/// Replaces what a resident generation says of itself. Its own record is frozen with the tables, so the new
/// one is a frozen map of its own, and one rename puts it in force: another image that resolves to the same
/// bytes is recorded without a swap.
pub(crate) fn amend(writer: &Writer, folder: &Folder, value: &[u8]) -> Result<(), PinError> {
    let packed = Packed { key_size: 4, value_size: value.len(), keys: vec![0; 4], values: value.to_vec() };
    let map = build(Table::Meta, &packed)?;
    map.freeze()?;
    let directory = writer.make(folder)?;
    directory.remove(AMENDING)?;
    writer.pin(map.as_fd(), &directory, AMENDING)?;
    Ok(directory.rename(AMENDING, &directory, AMENDED)?)
}
