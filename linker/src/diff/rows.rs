//! The link rows of one node on two sides, one of which may be what the kernel holds.
//!
//! The kernel holds less than a link says: no row that is not redirected or dropped, none that the data path
//! cannot carry, and names only where the state directory has kept them. What it cannot say makes no
//! difference: a row that it would not hold is equal to none, and an unknown name is equal to every name.

use std::cmp::Ordering;
use std::net::IpAddr;

use lrpc_schema::image::Protocol;

use super::breaking::Breaking;
use super::frontend::Change;
use super::join::join;
use crate::mapset::{Frontend, MapSet, Reason, Row, ShownBackend, ShownRow, State};
use crate::profile::Profile;

/// What one side does on a node.
#[derive(Clone, Debug)]
pub enum Rows {
    /// What an image was linked to.
    Linked(MapSet),
    /// What the kernel holds, sorted by address, port and protocol.
    Live(Vec<ShownRow>),
}

/// One frontend of a node that is not treated the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// What became of it.
    pub change: Change,
    /// The row as it was.
    pub old: Option<ShownRow>,
    /// The row as it is.
    pub new: Option<ShownRow>,
    /// What breaks, sorted, each once.
    pub breaking: Vec<Breaking>,
}

impl RowChange {
    /// The row of the newer side that has one.
    pub fn row(&self) -> Option<&ShownRow> {
        self.new.as_ref().or(self.old.as_ref())
    }

    /// A policy still speaks of the frontend, and the node has lost its last backend for it.
    pub fn loses_last_backend(&self) -> bool {
        let has = |row: &ShownRow| !row.backends.is_empty();
        self.old.as_ref().is_some_and(has) && self.new.as_ref().is_some_and(|row| !has(row))
    }
}

/// Compares the rows of a node, whose data path carries what a profile says.
pub fn rows(old: &Rows, new: &Rows, profile: Profile) -> Vec<RowChange> {
    match (old, new) {
        (Rows::Linked(old), Rows::Linked(new)) => {
            let pairs = join(old.rows(), new.rows(), |one, other| one.frontend.cmp(&other.frontend));
            let different = pairs.filter(|(old, new)| match (old, new) {
                (Some(old), Some(new)) => !is_shown_alike(old, new),
                _ => true,
            });
            let shown = |row: Option<&Row>| row.map(|row| ShownRow::of(row, profile));
            different.filter_map(|(old, new)| row_change(shown(old), shown(new))).collect()
        }
        (Rows::Live(old), Rows::Live(new)) => between(old, new),
        (Rows::Live(old), Rows::Linked(new)) => between(old, &carried(new, old, profile)),
        (Rows::Linked(old), Rows::Live(new)) => between(&carried(old, new, profile), new),
    }
}

/// Whether two rows of one frontend look the same in reports. Clients stand for the pods that they select
/// there, and pods are known by UID.
fn is_shown_alike(one: &Row, other: &Row) -> bool {
    one.policy == other.policy
        && one.service == other.service
        && one.outcome == other.outcome
        && one.skip == other.skip
        && one.clients == other.clients
}

/// The rows that the kernel would hold, and those of frontends that it does hold.
fn carried(linked: &MapSet, live: &[ShownRow], profile: Profile) -> Vec<ShownRow> {
    let is_live = |Frontend { address, port, protocol }: Frontend| {
        let wanted = (address, port.get(), Some(protocol));
        live.binary_search_by(|row| key(row).cmp(&wanted)).is_ok()
    };
    let held = linked.rows().iter().filter(|row| profile.holds(row) || is_live(row.frontend));
    held.map(|row| ShownRow::of(row, profile)).collect()
}

fn between(old: &[ShownRow], new: &[ShownRow]) -> Vec<RowChange> {
    let different = join(old, new, order).filter(|(old, new)| match (old, new) {
        (Some(old), Some(new)) => !is_known_alike(old, new),
        _ => true,
    });
    different.filter_map(|(old, new)| row_change(old.cloned(), new.cloned())).collect()
}

fn order(one: &ShownRow, other: &ShownRow) -> Ordering {
    key(one).cmp(&key(other))
}

fn key(row: &ShownRow) -> (IpAddr, u16, Option<Protocol>) {
    (row.address, row.port, row.protocol)
}

/// Whether two rows of one frontend are the same in what both sides know.
fn is_known_alike(one: &ShownRow, other: &ShownRow) -> bool {
    let backend = |one: &ShownBackend, other: &ShownBackend| {
        (one.address, one.port) == (other.address, other.port) && alike(&one.pods, &other.pods)
    };
    let backends = one.backends.len() == other.backends.len()
        && one.backends.iter().zip(&other.backends).all(|(one, other)| backend(one, other));
    one.state == other.state
        && backends
        && alike(&one.reason, &other.reason)
        && alike(&one.policy, &other.policy)
        && (one.policy.is_none() || other.policy.is_none() || one.service == other.service)
        && alike(&one.skip, &other.skip)
        && alike(&one.clients, &other.clients)
}

fn alike<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn row_change(old: Option<ShownRow>, new: Option<ShownRow>) -> Option<RowChange> {
    let change = Change::between(old.as_ref(), new.as_ref())?;
    let breaking = breaking(old.as_ref(), new.as_ref());
    Some(RowChange { change, old, new, breaking })
}

/// What breaks on the node. A frontend that was left alone there can only be refused.
fn breaking(old: Option<&ShownRow>, new: Option<&ShownRow>) -> Vec<Breaking> {
    let state = |row: Option<&ShownRow>| row.map_or(Some(State::Original), |row| row.state);
    let (was, is) = (state(old), state(new));
    let (redirect, original, drop) = (Some(State::Redirect), Some(State::Original), Some(State::Drop));
    let mut breaking = Vec::new();
    match (old, new) {
        (Some(_), None) if was != original => breaking.push(Breaking::FrontendRemoved),
        (Some(_), Some(new)) if was == redirect && is != redirect => {
            let is_pods = matches!(new.reason, Some(Reason::NoReadyBackend | Reason::NoUsableBackend));
            breaking.push(if is_pods { Breaking::BackendsEmptied } else { Breaking::CoverageShrunk });
        }
        (Some(old), Some(new)) if was == redirect => {
            let still = |port: u16| new.backends.iter().any(|backend| backend.port == port);
            if !old.backends.iter().all(|backend| still(backend.port)) {
                breaking.push(Breaking::PortChanged);
            }
            // A redirected frontend has a ready pod, which the flag would exempt (L8).
            let exempts = |row: &ShownRow| row.skip.as_ref().map(|skip| !skip.is_empty());
            if (exempts(old), exempts(new)) == (Some(true), Some(false)) {
                breaking.push(Breaking::SkipDropped);
            }
        }
        // It was closed, and is open.
        _ if was == drop && is == original => breaking.push(Breaking::CoverageShrunk),
        _ => {}
    }
    if is == drop && was != drop {
        breaking.push(Breaking::TrafficDropped);
    }
    breaking
}
