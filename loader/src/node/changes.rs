//! What an apply changes for traffic, in numbers: the tables that were active against those that come.

use std::collections::HashMap;
use std::thread;

use lrpc_schema::records::{Backend, FrontendKey, FrontendValue, Table};
use serde::Serialize;

use super::loaded::Found;
use crate::kernel::inner::InnerMaps;
use crate::kernel::sys::{Access, SysError, gate};
use crate::kernel::writer::Reader;
use crate::probe::{is_test_entry, is_test_row};
use crate::tables::{Packed, Tables, entries_of};

/// How many frontends are treated otherwise than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Frontends that had no entry.
    pub added: usize,
    /// Frontends that have none any more.
    pub removed: usize,
    /// Frontends whose connections go elsewhere, or are refused and were not, or the other way round.
    pub changed: usize,
}

/// What was active before.
pub(crate) enum Before {
    /// Nothing.
    Nothing,
    /// These tables.
    Tables(InnerMaps),
    /// What cannot be read.
    Unknown,
}

impl Before {
    /// Opens what is active.
    pub(crate) fn of(reader: &Reader, found: &Found) -> Self {
        let active = match found {
            Found::Nothing => return Self::Nothing,
            Found::Orphaned(_) => None,
            Found::Loaded(loaded) => loaded.active(),
        };
        // Numbers for a message are no reason to refuse an apply.
        let tables = active.and_then(|active| InnerMaps::open(reader, &active.folder, Access::Read).ok());
        tables.flatten().map_or(Self::Unknown, Self::Tables)
    }

    /// Does `work` and meanwhile, on another core, counts what the new tables change; `None` where what was active
    /// cannot be read, or no thread be had: the work waits for neither.
    pub(crate) fn beside<T>(self, new: &Tables, work: impl FnOnce() -> T) -> (T, Option<Changes>) {
        let old = match self {
            Self::Nothing => {
                let added = new.frontends.iter().filter(|(key, value)| !is_test_row(key, value)).count();
                return (work(), Some(Changes { added, ..Changes::default() }));
            }
            Self::Unknown => return (work(), None),
            Self::Tables(old) => old,
        };
        thread::scope(|scope| {
            let inherited = gate::Inherited::of_this_thread();
            let count = move || inherited.run(|| of(&old, new).ok());
            let counting =
                gate::enter("clone3(2)").and_then(|()| thread::Builder::new().spawn_scoped(scope, count));
            let done = work();
            (done, counting.ok().and_then(|counting| counting.join().ok().flatten()))
        })
    }
}

fn of(old: &InnerMaps, new: &Tables) -> Result<Changes, SysError> {
    let read = old.read()?;
    let table = |wanted| entries_of(&read, wanted);
    let (Some(frontends), Some(backends)) = (table(Table::Frontends), table(Table::Backends)) else {
        return Ok(Changes::default());
    };
    let backends: Vec<Backend> =
        backends.iter().filter_map(|(_, value)| value.try_into().ok().map(Backend::from_bytes)).collect();
    Ok(between(frontends, &backends, new))
}

fn between(frontends: &Packed, backends: &[Backend], new: &Tables) -> Changes {
    let mut old: HashMap<&[u8], &[u8]> =
        frontends.iter().filter(|(key, value)| !is_test_entry(key, value)).collect();
    let mut changes = Changes::default();
    for (key, value) in new.frontends.iter().filter(|(key, value)| !is_test_row(key, value)) {
        let key: [u8; FrontendKey::SIZE] = key.to_bytes();
        let known = old.remove(key.as_slice()).and_then(|known| known.try_into().ok());
        match known.map(FrontendValue::from_bytes) {
            None => changes.added += 1,
            Some(known) if is_same(&known, backends, value, &new.backends) => {}
            Some(_) => changes.changed += 1,
        }
    }
    Changes { removed: old.len(), ..changes }
}

/// Two values do the same, wherever their backends stand in the table.
fn is_same(
    one: &FrontendValue,
    one_table: &[Backend],
    other: &FrontendValue,
    other_table: &[Backend],
) -> bool {
    let run = |value: &FrontendValue, table: &[Backend]| -> Vec<Backend> {
        table.iter().skip(value.first() as usize).take(value.count() as usize).copied().collect()
    };
    one.action() == other.action()
        && one.count() == other.count()
        && one.backend() == other.backend()
        && (one.count() < 2 || run(one, one_table) == run(other, other_table))
}

#[cfg(test)]
mod tests {
    use lrpc_schema::image::Protocol;

    use super::*;
    use crate::probe::Family;

    fn backend(last: u8) -> Backend {
        Backend::new([10, 0, 0, last].into(), 80)
    }

    fn key(port: u16) -> FrontendKey {
        FrontendKey::new([169, 254, 169, 254].into(), port, Protocol::Tcp)
    }

    fn changes(old: &Tables, new: &Tables) -> Changes {
        between(&old.packed(Table::Frontends), &old.backends, new)
    }

    #[test]
    fn frontends_are_counted_by_what_becomes_of_them() {
        let one = |last| FrontendValue::redirect(1, 0, backend(last));
        let old = Tables {
            frontends: vec![(key(1), one(1)), (key(2), one(1)), (key(3), one(1))],
            ..Tables::default()
        };
        let new = Tables {
            frontends: vec![(key(2), one(2)), (key(3), one(1)), (key(4), FrontendValue::drop())],
            ..Tables::default()
        };
        assert_eq!(changes(&old, &new), Changes { added: 1, removed: 1, changed: 1 });
        assert_eq!(changes(&new, &new), Changes::default());
        let dropped = Tables { frontends: vec![(key(1), FrontendValue::drop())], ..Tables::default() };
        assert_eq!(changes(&old, &dropped).changed, 1, "it went through, and is refused");
    }

    #[test]
    fn a_test_row_is_no_frontend_and_a_policy_in_its_place_is_one() {
        let (test, value) = Family::V4.row();
        let with = |value| Tables { frontends: vec![(test, value)], ..Tables::default() };
        let own = FrontendValue::redirect(1, 0, backend(1));
        assert_eq!(changes(&Tables::default(), &with(value)), Changes::default());
        assert_eq!(changes(&with(value), &with(own)), Changes { added: 1, ..Changes::default() });
        assert_eq!(changes(&with(own), &with(value)), Changes { removed: 1, ..Changes::default() });
    }

    #[test]
    fn where_the_backends_stand_is_no_change() {
        let table = |first: u32, backends: Vec<Backend>| Tables {
            frontends: vec![(key(1), FrontendValue::redirect(2, first, backend(1)))],
            backends,
            ..Tables::default()
        };
        let old = table(0, vec![backend(1), backend(2)]);
        let moved = table(1, vec![backend(9), backend(1), backend(2)]);
        let other = table(0, vec![backend(1), backend(3)]);
        assert_eq!(changes(&old, &moved), Changes::default());
        assert_eq!(changes(&old, &other).changed, 1);
    }
}
