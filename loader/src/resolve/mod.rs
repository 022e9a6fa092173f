//! Resolve: the rows of a map set as the bytes of the node's tables.
//!
//! A pod becomes its cgroup here, and the [test rows](crate::probe) come in.

mod identities;
mod members;

use std::collections::BTreeSet;

use lrpc_linker::mapset::{self, Frontend, MapSet, Outcome, Row};
use lrpc_schema::image::Digest;
use lrpc_schema::records::{Backend, FrontendKey, FrontendValue, Meta, Table};

use crate::probe::Family;
use crate::tables::{self, Packed, Tables};
use members::{Collected, Members};

pub use identities::{Identities, Place, Unidentified};

/// A map set as bytes, with what was left out on the way.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The bytes.
    pub tables: Tables,
    /// The same as maps take them, packed once.
    pub packed: [(Table, Packed); Table::ALL.len()],
    /// The digest over them.
    pub digest: Digest,
    /// The rows with an entry: those in state `redirect` and `drop`.
    pub frontends: usize,
    /// Distinct (address, port, protocol) among the entries' backends.
    pub backends: usize,
}

/// What becomes of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conduct {
    /// They are redirected and refused.
    #[default]
    Act,
    /// What would be redirected or refused is counted, and left alone.
    Audit,
}

/// The bytes of a map set on a node where these run.
///
/// # Errors
/// [`Unidentified`] names the first policy that cannot be carried out as it says.
pub fn resolve(set: &MapSet, conduct: Conduct, identities: &Identities) -> Result<Resolved, Unidentified> {
    let mut tables = Tables::default();
    let mut members = Members::new(identities);
    let mut distinct = BTreeSet::new();
    for row in set.rows() {
        if matches!(row.outcome, Outcome::Original(_)) {
            continue;
        }
        let protocol = row.frontend.protocol;
        distinct.extend(row.backends().iter().map(|to| (to.address, to.port, protocol)));
        let value = value(row, &mut tables.backends).concerning(members.audience(row)?);
        let value = match conduct {
            Conduct::Act => value,
            Conduct::Audit => value.audited(),
        };
        tables.frontends.push((key(&row.frontend), value));
    }
    let frontends = tables.frontends.len();
    for test in Family::ALL.map(Family::row) {
        if tables.frontends.iter().all(|(key, _)| *key != test.0) {
            tables.frontends.push(test);
        }
    }
    tables.frontends.sort_unstable_by_key(|(key, _)| key.to_bytes());
    let Collected { keys, pods, trees } = members.collected();
    tables.members = keys;
    tables.meta = Meta::new(pods, trees, identities.node_netns.unwrap_or_default());
    let packed = tables.pack();
    Ok(Resolved { digest: tables::digest(&packed), packed, frontends, backends: distinct.len(), tables })
}

/// The key of a frontend.
pub(crate) fn key(frontend: &Frontend) -> FrontendKey {
    FrontendKey::new(frontend.address, frontend.port.get(), frontend.protocol)
}

/// The value of a row; its backends are added to `table` where there are several.
fn value(row: &Row, table: &mut Vec<Backend>) -> FrontendValue {
    let backend = |to: &mapset::Backend| Backend::new(to.address, to.port.get());
    match row.backends() {
        [] => FrontendValue::drop(),
        [only] => FrontendValue::redirect(1, 0, backend(only)),
        several @ [first, ..] => {
            let index = u32::try_from(table.len()).unwrap_or(u32::MAX);
            let count = u32::try_from(several.len()).unwrap_or(u32::MAX);
            table.extend(several.iter().map(backend));
            FrontendValue::redirect(count, index, backend(first))
        }
    }
}

#[cfg(test)]
mod tests;
