//! What happens to one connection of a node, and why.
//!
//! [`source`] finds out who opens it, the map set has the row of where it goes, and [`rules`] are asked in
//! L18's order until one decides. Nothing here chooses backends or pods: a trace only reads what `link` has
//! decided.

mod rules;
mod source;

use std::fmt;
use std::sync::Arc;

use lrpc_schema::image::Image;

use crate::findings::listed;
use crate::flow::Flow;
use crate::inventory::Inventory;
use crate::link::parties;
use crate::mapset::{self, Backend, Frontend, MapSet, PodRef, Row, State};

pub use rules::Rule;
pub use source::{Client, SourceError};

/// What happens to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace<'a> {
    /// The row of its destination; `None` where the node has none.
    pub row: Option<&'a Row>,
    /// The answer.
    pub decision: Decision,
    /// The rules that were asked, in L18's order; the last decided. Never empty.
    pub steps: Vec<Step>,
}

/// Where a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// To one of the row's backends.
    Redirect,
    /// Where it would have gone without lrpc.
    Original(Reason),
    /// It is refused.
    Drop(mapset::Reason),
}

/// Why a connection is not redirected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The row's own: it holds for every connection.
    Row(mapset::Reason),
    /// No policy speaks of the destination on this node (D2).
    NoFrontend,
    /// The policy does not redirect this client (L6).
    ClientNotSelected,
    /// The client is one of the policy's own pods (L8).
    OwnTraffic,
}

impl Reason {
    /// Every reason, a row's own first.
    pub const ALL: [Self; 10] = [
        Self::Row(mapset::Reason::NodeNotSelected),
        Self::Row(mapset::Reason::AddressOwnedByService),
        Self::Row(mapset::Reason::AddressNotAllowed),
        Self::Row(mapset::Reason::BackendNotIdentified),
        Self::Row(mapset::Reason::PortNotServed),
        Self::Row(mapset::Reason::NoReadyBackend),
        Self::Row(mapset::Reason::NoUsableBackend),
        Self::NoFrontend,
        Self::ClientNotSelected,
        Self::OwnTraffic,
    ];

    /// The reason in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Row(reason) => reason.as_str(),
            Self::NoFrontend => "no-frontend",
            Self::ClientNotSelected => "client-not-selected",
            Self::OwnTraffic => "own-traffic",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One rule that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The rule.
    pub rule: Rule,
    /// What it says of this connection, in one line.
    pub why: String,
}

impl Trace<'_> {
    /// The decision in one word.
    pub fn state(&self) -> State {
        match self.decision {
            Decision::Redirect => State::Redirect,
            Decision::Original(_) => State::Original,
            Decision::Drop(_) => State::Drop,
        }
    }

    /// Why it is not redirected; `None` exactly where it is.
    pub fn reason(&self) -> Option<Reason> {
        match self.decision {
            Decision::Redirect => None,
            Decision::Original(reason) => Some(reason),
            Decision::Drop(reason) => Some(Reason::Row(reason)),
        }
    }

    /// The candidates: it goes to one of them. Empty exactly where it is not redirected.
    pub fn backends(&self) -> &[Backend] {
        match (self.decision, self.row) {
            (Decision::Redirect, Some(row)) => row.backends(),
            _ => &[],
        }
    }
}

/// What the node whose `map_set` was linked from `image` and `inventory` does with a flow.
///
/// # Errors
/// [`SourceError`] where no connection of the node comes from the flow's source.
pub fn trace<'a>(
    image: &Image,
    inventory: &Inventory,
    node: &str,
    map_set: &'a MapSet,
    flow: &Flow,
) -> Result<Trace<'a>, SourceError> {
    let client = source::find(inventory, node, &flow.source)?;
    let Some(row) = map_set.get(&flow.destination) else {
        let step = Step { rule: Rule::D2, why: no_frontend(map_set, &flow.destination) };
        let decision = Decision::Original(Reason::NoFrontend);
        return Ok(Trace { row: None, decision, steps: vec![step] });
    };
    let (exempt, clients) = lists(row, image, inventory, node);
    let connection = rules::Connection { client, row, inventory, node, exempt: &exempt, clients: &clients };
    let (decision, steps) = connection.decide();
    Ok(Trace { row: Some(row), decision, steps })
}

/// The exempt pods of a row's policy and its clients. An `original` row has no lists, since the data path
/// needs none; L6 and L8 still go before the reason why it has no backend (L18).
fn lists(row: &Row, image: &Image, inventory: &Inventory, node: &str) -> (Arc<[PodRef]>, Arc<[PodRef]>) {
    match row.state() {
        State::Redirect | State::Drop => (row.skip.clone(), row.client_pods.clone()),
        State::Original => {
            image.policy(&row.policy).map(|policy| parties(policy, inventory, node)).unwrap_or_default()
        }
    }
}

fn no_frontend(map_set: &MapSet, wanted: &Frontend) -> String {
    let rows = map_set.rows();
    let first = rows.partition_point(|row| row.frontend.address < wanted.address);
    let frontends = rows.iter().skip(first).map(|row| row.frontend);
    let others: Vec<_> = frontends.take_while(|frontend| frontend.address == wanted.address).collect();
    let but = if others.is_empty() { String::new() } else { format!(", but of {}", listed(others.iter())) };
    format!("no policy speaks of `{wanted}` on this node{but}")
}
