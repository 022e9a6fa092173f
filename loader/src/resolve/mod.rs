//! Resolve: the rows of a map set as the bytes that this version's data path can carry.
//!
//! This version redirects IPv4, for every client, without exempting anyone. A row that would need more is
//! left out whole, with a warning: half of a policy is another policy. Where the policy is a security
//! boundary (`lrpc.dev/fallback: drop`, L5), leaving a row out would open it, so the whole set is refused.
//! A UDP row is applied, although datagrams of unconnected sockets are not redirected yet.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lrpc_schema::image::{Clients, Digest, Fallback, PolicyName, Protocol};
use lrpc_schema::records::{Backend, FrontendKey, FrontendValue, Meta};

use crate::findings::Severity;
use crate::mapset::{self, Frontend, MapSet, Outcome, Row};
use crate::pages::Page;
use crate::tables::Tables;

/// A map set as bytes, with what was left out on the way.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The bytes.
    pub tables: Tables,
    /// The digest over them.
    pub digest: Digest,
    /// The rows with an entry: those in state `redirect` and `drop` that were not left out.
    pub frontends: usize,
    /// Distinct (address, port, protocol) among the entries' backends.
    pub backends: usize,
    /// The rows that were left out.
    pub left_out: usize,
    /// What a user should know, at most one warning of each kind.
    pub warnings: Vec<Warning>,
}

/// What this version's data path cannot do for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// The frontend's address is an IPv6 address.
    Ipv6,
    /// The policy redirects for some clients only (L6).
    Clients,
    /// The policy exempts its backends' own traffic (L8).
    Skip,
    /// Datagrams of unconnected sockets are not redirected; connected ones are.
    UnconnectedUdp,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv6 => "IPv6 frontends",
            Self::Clients => "policies with `lrpc.dev/clients` other than `all`",
            Self::Skip => "policies with `skipRedirectFromBackend`",
            Self::UnconnectedUdp => "unconnected UDP sockets",
        })
    }
}

/// Rows that are left out, or carried in part, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Why.
    pub gap: Gap,
    /// How many rows.
    pub rows: usize,
    /// Their policies, sorted.
    pub policies: Vec<PolicyName>,
}

impl Warning {
    /// The stable code, which names the page.
    pub const fn code(&self) -> &'static str {
        match self.gap {
            Gap::UnconnectedUdp => "unconnected-udp",
            Gap::Ipv6 | Gap::Clients | Gap::Skip => "left-out",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        match self.gap {
            Gap::UnconnectedUdp => {
                write!(f, "{} UDP {rows} serve connected sockets only in this version", self.rows)
            }
            Gap::Ipv6 | Gap::Clients | Gap::Skip => {
                write!(f, "{} {rows} left out: this version does not redirect {}", self.rows, self.gap)
            }
        }
    }
}

/// The pages of [`Warning::code`], sorted by code.
pub static PAGES: &[Page] = &[
    Page {
        code: "left-out",
        severity: Severity::Warning,
        summary: "this version cannot carry some rows, and apply leaves them out",
        page: include_str!("../../diagnostics/left-out.md"),
    },
    Page {
        code: "unconnected-udp",
        severity: Severity::Warning,
        summary: "this version redirects connected UDP sockets only",
        page: include_str!("../../diagnostics/unconnected-udp.md"),
    },
];

/// A policy must not be loaded halfway (L5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "policy `{policy}` says `lrpc.dev/fallback: drop`, and its frontend `{frontend}` would not be closed: \
     this version does not carry {gap}"
)]
pub struct HalfPolicy {
    /// The policy.
    pub policy: PolicyName,
    /// The row that cannot be carried whole.
    pub frontend: Frontend,
    /// What is missing.
    pub gap: Gap,
}

/// The bytes of a map set.
///
/// # Errors
/// [`HalfPolicy`] names the first row of a policy with `fallback: drop` that cannot be carried whole.
pub fn resolve(set: &MapSet) -> Result<Resolved, HalfPolicy> {
    let mut tables = Tables { meta: Meta::new(0), ..Tables::default() };
    let mut gaps: BTreeMap<Gap, (usize, BTreeSet<&PolicyName>)> = BTreeMap::new();
    let mut distinct = BTreeSet::new();
    let mut left_out = 0;
    for row in set.rows() {
        if matches!(row.outcome, Outcome::Original(_)) {
            continue;
        }
        let gap = gap(row);
        if let Some(gap) = gap {
            if row.fallback == Fallback::Drop {
                return Err(HalfPolicy { policy: row.policy.clone(), frontend: row.frontend, gap });
            }
            let (rows, policies) = gaps.entry(gap).or_default();
            *rows += 1;
            policies.insert(&row.policy);
        }
        match gap {
            Some(Gap::Ipv6 | Gap::Clients | Gap::Skip) => left_out += 1,
            Some(Gap::UnconnectedUdp) | None => {
                let protocol = row.frontend.protocol;
                distinct.extend(row.backends().iter().map(|to| (to.address, to.port, protocol)));
                let value = value(row, &mut tables.backends);
                tables.frontends.push((key(&row.frontend), value));
            }
        }
    }
    tables.frontends.sort_unstable_by_key(|(key, _)| key.to_bytes());
    let warnings = gaps.into_iter().map(|(gap, (rows, policies))| Warning {
        gap,
        rows,
        policies: policies.into_iter().cloned().collect(),
    });
    Ok(Resolved {
        digest: tables.digest(),
        frontends: tables.frontends.len(),
        backends: distinct.len(),
        left_out,
        warnings: warnings.collect(),
        tables,
    })
}

/// Whether the kernel gets an entry for a row: it is redirected or dropped, and not left out.
pub(crate) fn is_carried(row: &Row) -> bool {
    let is_left_out = matches!(gap(row), Some(Gap::Ipv6 | Gap::Clients | Gap::Skip));
    !matches!(row.outcome, Outcome::Original(_)) && !is_left_out
}

/// What the data path lacks for a row; the reason for which it is left out comes before the lesser one.
fn gap(row: &Row) -> Option<Gap> {
    if row.frontend.address.is_ipv6() {
        Some(Gap::Ipv6)
    } else if row.clients != Clients::All {
        Some(Gap::Clients)
    } else if row.skip_flag {
        Some(Gap::Skip)
    } else if row.frontend.protocol == Protocol::Udp {
        Some(Gap::UnconnectedUdp)
    } else {
        None
    }
}

/// The key of a frontend.
pub(crate) fn key(frontend: &Frontend) -> FrontendKey {
    FrontendKey::new(frontend.address, frontend.port.get(), frontend.protocol.number())
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
