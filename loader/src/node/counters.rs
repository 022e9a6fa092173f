//! What was counted, for `lrpc dump --counters` and `lrpc status --counters`.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use lrpc_linker::MapSet;
use lrpc_linker::mapset::{Row, ShownRow, State};
use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::{Counts, Fate, FrontendKey};
use serde::Serialize;

use super::Error;
use crate::kernel::counters::Counters;
use crate::kernel::writer::Reader;
use crate::probe::is_reserved;
use crate::record::text;

/// How many connects and datagrams had which fate, since the set was loaded first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// They went to a backend, or would have in an audit.
    pub redirected: u64,
    /// They were refused, or would have been in an audit.
    pub dropped: u64,
    /// They were a backend's own, and left alone (L8).
    pub own: u64,
    /// They were no client's, and left alone (L6).
    pub no_client: u64,
}

impl Tally {
    /// Nothing was counted.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    #[must_use]
    fn and(self, other: Self) -> Self {
        Self {
            redirected: self.redirected.wrapping_add(other.redirected),
            dropped: self.dropped.wrapping_add(other.dropped),
            own: self.own.wrapping_add(other.own),
            no_client: self.no_client.wrapping_add(other.no_client),
        }
    }
}

impl From<Counts> for Tally {
    fn from(counts: Counts) -> Self {
        Self {
            redirected: counts.of(Fate::Redirected),
            dropped: counts.of(Fate::Dropped),
            own: counts.of(Fate::Own),
            no_client: counts.of(Fate::NoClient),
        }
    }
}

/// What was counted of a frontend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrontendTally {
    /// The frontend's address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Its protocol.
    #[serde(serialize_with = "text::serialize")]
    pub protocol: Protocol,
    /// The policy, `NAMESPACE/NAME`; `None` where the active generation has no such frontend, or only a name could
    /// say it.
    pub policy: Option<String>,
    /// What was counted.
    #[serde(flatten)]
    pub tally: Tally,
}

/// What was counted of a policy's frontends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyTally {
    /// The policy, `NAMESPACE/NAME`; `None` for frontends that the active generation does not have, or whose policy
    /// is not known.
    pub policy: Option<String>,
    /// What was counted.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Everything that was counted on an instance.
#[derive(Debug, Default)]
pub(super) struct Counted {
    frontends: BTreeMap<FrontendKey, Counts>,
    uncounted: u64,
}

impl Counted {
    /// Reads the counters.
    pub(super) fn read(reader: &Reader) -> Result<Self, Error> {
        Ok(match Counters::open(reader)? {
            Some(counters) => Self { frontends: counters.read()?, uncounted: counters.uncounted()? },
            None => Self::default(),
        })
    }

    /// How many connects and datagrams were not counted, since their frontends found no place.
    pub(super) fn uncounted(&self) -> u64 {
        self.uncounted
    }

    /// What was counted of each frontend of the active generation, and of those that it does not have; sorted by
    /// address, port and protocol.
    pub(super) fn by_frontend(mut self, rows: &[ShownRow]) -> Vec<FrontendTally> {
        let active = rows.iter().filter_map(|row| {
            let protocol = row.protocol?;
            let key = FrontendKey::new(row.address, row.port, protocol);
            Some((key, row.policy.clone()))
        });
        let active: Vec<_> = active
            .map(|(key, policy)| (key, policy, self.frontends.remove(&key).unwrap_or_default()))
            .collect();
        let others = self.frontends.into_iter().filter(|(key, _)| !is_reserved(key));
        let others = others.map(|(key, counts)| (key, None, counts));
        let tally = |(key, policy, counts): (FrontendKey, Option<String>, Counts)| {
            let (address, port, protocol) = (key.address(), key.port(), key.protocol()?);
            Some(FrontendTally { address, port, protocol, policy, tally: counts.into() })
        };
        let mut tallies: Vec<_> = active.into_iter().chain(others).filter_map(tally).collect();
        tallies.sort_by_key(|tally| (tally.address, tally.port, tally.protocol));
        tallies
    }

    /// What was counted of each policy of the active set, as far as that is known; sorted by name, what no policy is
    /// known of at the end.
    pub(super) fn by_policy(self, set: Option<&MapSet>) -> Vec<PolicyTally> {
        let rows = set.map_or(&[][..], MapSet::rows).iter().filter(|row| row.state() != State::Original);
        let policy_of: HashMap<_, _> = rows.map(|row| (key(row), row.policy.to_string())).collect();
        let mut policies: BTreeMap<&str, Tally> =
            policy_of.values().map(|policy| (policy.as_str(), Tally::default())).collect();
        let mut others = Tally::default();
        for (key, counts) in self.frontends {
            let tally = match policy_of.get(&key) {
                Some(policy) => policies.entry(policy).or_default(),
                None if is_reserved(&key) => continue,
                None => &mut others,
            };
            *tally = tally.and(counts.into());
        }
        let others = (!others.is_zero()).then_some(PolicyTally { policy: None, tally: others });
        let named = |(policy, tally): (&str, Tally)| PolicyTally { policy: Some(policy.to_owned()), tally };
        policies.into_iter().map(named).chain(others).collect()
    }
}

/// The frontend of a row, as programs know it.
pub(super) fn key(row: &Row) -> FrontendKey {
    FrontendKey::new(row.frontend.address, row.frontend.port.get(), row.frontend.protocol)
}
