//! `lrpc dump`: the active generation's tables as rows, with the names behind them where they are known.

use std::collections::{BTreeMap, HashMap};

use lrpc_schema::image::Protocol;
use lrpc_schema::records::{Action, Backend, FrontendKey, FrontendValue, Generation, Slot, Table};
use serde::Serialize;

use super::counters::{Counted, FrontendTally};
use super::{Error, Node};
use crate::kernel::writer::Reader;
use crate::probe::is_test_row;
use crate::record::Record;
use crate::tables::{Packed, entries_of};
use lrpc_linker::mapset::{ShownBackend, ShownRow, State};
use lrpc_linker::profile::Profile;

/// The content of the maps. Serialises as CONTRACT says.
#[derive(Clone, Debug, Serialize)]
pub struct Dump {
    /// The active generation.
    pub generation: Generation,
    /// Its slot.
    pub slot: Slot,
    /// The rows, sorted by address, port and protocol.
    pub frontends: Vec<ShownRow>,
    /// The tables by name.
    pub tables: BTreeMap<String, TableDump>,
    /// What was counted of each frontend, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counters: Option<Vec<FrontendTally>>,
    /// How many connects and datagrams were not counted, since there are more frontends than places to count them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncounted: Option<u64>,
}

/// One table.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TableDump {
    /// How many entries it has, test rows apart.
    pub entries: usize,
    /// The kernel's number of the map.
    pub map_id: u32,
}

impl Node {
    /// Reads the maps of the active generation.
    ///
    /// # Errors
    /// Nothing is loaded, the cell names no resident set, the kernel refuses, or what the state directory keeps
    /// of the generation cannot be read.
    pub fn dump(&self) -> Result<Dump, Error> {
        self.dump_of(&self.reader()?.ok_or(Error::NothingLoaded)?)
    }

    /// The same with what was counted.
    ///
    /// # Errors
    /// As for [`dump`](Self::dump).
    pub fn dump_with_counters(&self) -> Result<Dump, Error> {
        let reader = self.reader()?.ok_or(Error::NothingLoaded)?;
        let dump = self.dump_of(&reader)?;
        let counted = Counted::read(&reader)?;
        let uncounted = Some(counted.uncounted());
        Ok(Dump { counters: Some(counted.by_frontend(&dump.frontends)), uncounted, ..dump })
    }

    fn dump_of(&self, reader: &Reader) -> Result<Dump, Error> {
        let loaded = self.loaded(reader)?;
        let active = loaded.active().ok_or(Error::NotResident(loaded.active))?;
        let read = active.tables.read()?;
        let table = |wanted| entries_of(&read, wanted);
        let mut frontends = match (table(Table::Frontends), table(Table::Backends)) {
            (Some(frontends), Some(backends)) => rows(frontends, backends),
            _ => Vec::new(),
        };
        let kept = |record: &Record| self.state.kept_set(loaded.active, record.digest);
        if let Some(set) = active.record.as_ref().ok().map(kept).transpose()?.flatten() {
            let shown = set.rows().iter().map(|row| ShownRow::of(row, Profile::default()));
            let kept: HashMap<_, _> = shown.map(|row| (key(&row), row)).collect();
            for row in &mut frontends {
                if let Some(kept) = kept.get(&key(row)) {
                    row.named_by(kept);
                }
            }
        }
        let tables = Table::ALL.into_iter().zip(active.tables.maps()).map(|(name, map)| {
            let entries = match name {
                Table::Frontends => frontends.len(),
                Table::Backends | Table::Members | Table::Filter | Table::Meta => {
                    table(name).map_or(0, Packed::len)
                }
            };
            (name.to_string(), TableDump { entries, map_id: map.id() })
        });
        let tables = tables.collect();
        Ok(Dump {
            generation: loaded.active,
            slot: loaded.slot,
            frontends,
            tables,
            counters: None,
            uncounted: None,
        })
    }
}

fn key(row: &ShownRow) -> (std::net::IpAddr, u16, Option<Protocol>) {
    (row.address, row.port, row.protocol)
}

/// The rows that two tables stand for. An entry that no loader of this version writes is shown with the
/// state `unknown`.
fn rows(frontends: &Packed, backends: &Packed) -> Vec<ShownRow> {
    let backends: Vec<Backend> =
        backends.iter().filter_map(|(_, value)| value.try_into().ok().map(Backend::from_bytes)).collect();
    let row = |(key, value): (&[u8], &[u8])| {
        let key = FrontendKey::from_bytes(key.try_into().ok()?);
        let value = FrontendValue::from_bytes(value.try_into().ok()?);
        if is_test_row(&key, &value) {
            return None;
        }
        let (first, count) = (value.first() as usize, value.count() as usize);
        let (state, targets) = match value.action() {
            Some(Action::Redirect | Action::AuditRedirect) if count == 1 => {
                (Some(State::Redirect), vec![value.backend()])
            }
            Some(Action::Redirect | Action::AuditRedirect) => {
                let run = backends.get(first..).unwrap_or_default().iter().take(count);
                (Some(State::Redirect), run.copied().collect())
            }
            Some(Action::Drop | Action::AuditDrop) => (Some(State::Drop), Vec::new()),
            None => (None, Vec::new()),
        };
        let shown = |to: Backend| ShownBackend { address: to.address(), port: to.port(), pods: None };
        Some(ShownRow {
            address: key.address(),
            port: key.port(),
            protocol: key.protocol(),
            policy: None,
            service: None,
            state,
            reason: None,
            backends: targets.into_iter().map(shown).collect(),
            skip: None,
            clients: None,
            left_out: None,
        })
    };
    let mut rows: Vec<_> = frontends.iter().filter_map(row).collect();
    rows.sort_by_key(key);
    rows
}
