//! What a team expects of connections, held against what a cluster's nodes do with them.
//!
//! ```text
//! Expectation ─connections─▶ (node, Flow)… ─trace─▶ Verdict
//! ```
//! [`pattern`] reads which connections are meant, [`connections()`] finds them in an inventory, and [`Cluster`]
//! has the linked nodes that [`trace`](mod@crate::trace) asks. An expectation that meets no connection is not met:
//! a check that did not run must not look like one that passed.

mod connections;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use lrpc_schema::image::Image;

use crate::flow::Flow;
use crate::inventory::Inventory;
use crate::mapset::{Backend, MapSet, State};
use crate::profile::{Gap, Profile};
use crate::trace::{Reason, Trace, trace};

use connections::{Connection, connections};
pub use pattern::{BackendPattern, Client, FlowPattern, PodPattern, Target};

/// What is expected of the connections that a pattern means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The connections.
    pub flow: FlowPattern,
    /// The nodes on which they are opened.
    pub nodes: Nodes,
    /// What happens to each of them.
    pub decision: State,
    /// Why each is not redirected; `None` leaves that open.
    pub reason: Option<Reason>,
    /// The policy that decides, `NAMESPACE/NAME`; `None` leaves that open.
    pub policy: Option<String>,
    /// Where they may go: every candidate is one of these. Empty leaves that open.
    pub backends: Vec<BackendPattern>,
}

/// The nodes that an expectation speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nodes {
    /// Those on which such a connection can be opened, at least one.
    #[default]
    Possible,
    /// Every node of the inventory; on each such a connection can be opened.
    All,
    /// These; on each such a connection can be opened.
    Named(Vec<String>),
}

/// What came of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// How many connections were looked at.
    pub connections: usize,
    /// What is not as expected; empty where it is met.
    pub misses: Vec<Miss<'a>>,
    /// What the data path does not carry of what is answered: there the connections go where they would have gone.
    pub left_out: BTreeSet<Gap>,
}

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss<'a> {
    /// What, in one line.
    pub message: String,
    /// The connection; `None` where one is missing.
    pub traced: Option<Traced<'a>>,
}

/// One connection with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced<'a> {
    /// The node on which it is opened.
    pub node: &'a str,
    /// The connection.
    pub flow: Flow,
    /// What happens to it, and why.
    pub trace: Trace<'a>,
}

/// An image linked for the nodes of an inventory.
#[derive(Clone, Debug)]
pub struct Cluster<'a> {
    /// The policies.
    pub image: &'a Image,
    /// What runs.
    pub inventory: &'a Inventory,
    /// What each node of the inventory gets.
    pub nodes: BTreeMap<&'a str, MapSet>,
    /// What the nodes' data path carries.
    pub profile: Profile,
}

impl Cluster<'_> {
    /// Looks at every connection that an expectation means.
    pub fn check(&self, expectation: &Expectation) -> Verdict<'_> {
        let found = connections(self, expectation);
        let mut misses: Vec<Miss<'_>> =
            found.missing.into_iter().map(|message| Miss { message, traced: None }).collect();
        let count = found.connections.len();
        let mut left_out = BTreeSet::new();
        for Connection { node, map_set, flow } in found.connections {
            let (message, trace) = match trace(self.image, self.inventory, node, map_set, &flow) {
                Err(error) => (Some(error.to_string()), None),
                Ok(trace) => {
                    left_out.extend(self.gap(&trace));
                    (self.miss(expectation, &trace), Some(trace))
                }
            };
            misses.extend(
                message
                    .map(|message| Miss { message, traced: trace.map(|trace| Traced { node, flow, trace }) }),
            );
        }
        Verdict { connections: count, misses, left_out }
    }

    /// Why the data path does not do what is answered for a connection.
    fn gap(&self, trace: &Trace<'_>) -> Option<Gap> {
        match trace.state() {
            State::Redirect | State::Drop => self.profile.left_out(trace.row?),
            State::Original => None,
        }
    }

    /// In what the answer for one connection is not the expected one.
    fn miss(&self, expectation: &Expectation, trace: &Trace<'_>) -> Option<String> {
        let Expectation { decision, reason, policy, backends, .. } = expectation;
        let found = trace.reason();
        if trace.state() != *decision {
            let why = found.map(|reason| format!(" ({reason})")).unwrap_or_default();
            return Some(format!("{}{why}, expected {decision}", trace.state()));
        }
        if let Some(expected) = reason.filter(|expected| Some(*expected) != found) {
            let found = found.map_or("no reason", Reason::as_str);
            return Some(format!("{decision} because of {found}, expected {expected}"));
        }
        let decides = trace.row.map(|row| row.policy.to_string());
        if let Some(expected) = policy.as_ref().filter(|expected| Some(*expected) != decides.as_ref()) {
            let found = decides.map_or("no policy".to_owned(), |policy| format!("policy {policy}"));
            return Some(format!("{found} decides, expected {expected}"));
        }
        let other = |backend: &&Backend| !backends.iter().any(|one| one.covers(backend, self.inventory));
        let strange = trace.backends().iter().find(other).filter(|_| !backends.is_empty())?;
        Some(format!("it may go to {}, expected {}", shown(strange), listed(backends)))
    }
}

fn shown(backend: &Backend) -> String {
    let address = std::net::SocketAddr::new(backend.address, backend.port.get());
    let pods: Vec<String> = backend.pods.iter().map(ToString::to_string).collect();
    format!("{address} ({})", pods.join(", "))
}

fn listed(backends: &[BackendPattern]) -> String {
    backends.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
