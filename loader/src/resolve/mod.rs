//! Resolve: the rows of a map set as the bytes of the node's tables.
//!
//! What the node's [`Profile`] does not carry is left out; [`warnings`](lrpc_linker::profile::warnings) says what.

use std::collections::BTreeSet;

use lrpc_linker::mapset::{self, Frontend, MapSet, Outcome, Row};
use lrpc_linker::profile::{Carried, HalfPolicy, Profile};
use lrpc_schema::image::Digest;
use lrpc_schema::records::{Backend, FrontendKey, FrontendValue, Meta, Table};

use crate::tables::{self, Packed, Tables};

/// A map set as bytes, with what was left out on the way.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The bytes.
    pub tables: Tables,
    /// The same as maps take them, packed once.
    pub packed: [(Table, Packed); Table::ALL.len()],
    /// The digest over them.
    pub digest: Digest,
    /// The rows with an entry: those in state `redirect` and `drop` that were not left out.
    pub frontends: usize,
    /// Distinct (address, port, protocol) among the entries' backends.
    pub backends: usize,
    /// The rows that were left out.
    pub left_out: usize,
}

/// The bytes of a map set.
///
/// # Errors
/// [`HalfPolicy`] names the first row of a policy with `fallback: drop` that cannot be carried whole.
pub fn resolve(set: &MapSet, profile: Profile) -> Result<Resolved, HalfPolicy> {
    let mut tables = Tables { meta: Meta::new(0), ..Tables::default() };
    let mut distinct = BTreeSet::new();
    let mut left_out = 0;
    for row in set.rows() {
        if matches!(row.outcome, Outcome::Original(_)) {
            continue;
        }
        profile.whole(row)?;
        match profile.carries(row) {
            Carried::Not(_) => left_out += 1,
            Carried::Whole | Carried::Partly(_) => {
                let protocol = row.frontend.protocol;
                distinct.extend(row.backends().iter().map(|to| (to.address, to.port, protocol)));
                let value = value(row, &mut tables.backends);
                tables.frontends.push((key(&row.frontend), value));
            }
        }
    }
    tables.frontends.sort_unstable_by_key(|(key, _)| key.to_bytes());
    let packed = tables.pack();
    Ok(Resolved {
        digest: tables::digest(&packed),
        packed,
        frontends: tables.frontends.len(),
        backends: distinct.len(),
        left_out,
        tables,
    })
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
