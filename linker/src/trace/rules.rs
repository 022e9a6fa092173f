//! The rules that decide about a connection to a frontend, in L18's order: whether the policy acts on the
//! node (L7), may have the frontend at all (L1, L14), redirects this client (L6) and is not the client's own
//! (L8), and whether there is a usable backend or what happens instead (L5).

use std::fmt;

use lrpc_schema::image::{Clients, Fallback};

use super::{Client, Decision, Reason, Step};
use crate::inventory::Inventory;
use crate::mapset::{self, Outcome, PodRef, Row};

/// A rule of docs/semantics.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The exact look-up of address, port and protocol.
    D2,
    /// The nodes on which a policy acts.
    L7,
    /// One owner for each frontend.
    L1,
    /// The allow-list.
    L14,
    /// The clients.
    L6,
    /// A backend's own traffic.
    L8,
    /// A usable backend, or the fallback.
    L5,
}

impl Rule {
    /// The rule in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::D2 => "D2",
            Self::L7 => "L7",
            Self::L1 => "L1",
            Self::L14 => "L14",
            Self::L6 => "L6",
            Self::L8 => "L8",
            Self::L5 => "L5",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A connection to a frontend that has a row.
pub(super) struct Connection<'a> {
    pub(super) client: Client<'a>,
    pub(super) row: &'a Row,
    pub(super) inventory: &'a Inventory,
    pub(super) node: &'a str,
    /// The pods whose own connections the policy leaves alone (L8).
    pub(super) exempt: &'a [PodRef],
    /// The pods that are clients, where the policy wants a list of them (L6).
    pub(super) clients: &'a [PodRef],
}

/// What one rule says, with the reason in words.
enum Answer {
    /// The next rule is asked.
    Pass(String),
    /// It is decided.
    Decided(Decision, String),
}

impl Connection<'_> {
    /// Asks one rule after the other until one decides. L1 and L14 speak only where they stop a policy.
    pub(super) fn decide(&self) -> (Decision, Vec<Step>) {
        let mut steps = Vec::new();
        for (rule, answer) in [
            (Rule::L7, Some(self.node())),
            (Rule::L1, self.ownership()),
            (Rule::L14, self.allow_list()),
            (Rule::L6, Some(self.clients())),
            (Rule::L8, Some(self.own_traffic())),
        ] {
            match answer {
                None => {}
                Some(Answer::Pass(why)) => steps.push(Step { rule, why }),
                Some(Answer::Decided(decision, why)) => {
                    steps.push(Step { rule, why });
                    return (decision, steps);
                }
            }
        }
        let (decision, why) = self.backends();
        steps.push(Step { rule: Rule::L5, why });
        (decision, steps)
    }

    fn node(&self) -> Answer {
        let node = self.node;
        match self.row.reason() {
            Some(reason @ mapset::Reason::NodeNotSelected) => {
                decided(reason, format!("`lrpc.dev/nodes` does not select node `{node}`"))
            }
            _ => Answer::Pass(format!("the policy acts on node `{node}`")),
        }
    }

    fn ownership(&self) -> Option<Answer> {
        let reason = self.row.reason().filter(|reason| *reason == mapset::Reason::AddressOwnedByService)?;
        let why = match self.inventory.owner(&self.row.frontend) {
            Some(owner) => format!(
                "it is {} of Service `{}`, which the policy may not shadow",
                owner.ownership.as_str(),
                owner.service
            ),
            None => "it is a Service's, which the policy may not shadow".to_owned(),
        };
        Some(decided(reason, why))
    }

    fn allow_list(&self) -> Option<Answer> {
        let reason = self.row.reason().filter(|reason| *reason == mapset::Reason::AddressNotAllowed)?;
        Some(decided(reason, format!("address {} is not on the allow-list", self.row.frontend.address)))
    }

    fn clients(&self) -> Answer {
        let Self { client, row: Row { clients, .. }, .. } = self;
        let selected = match (clients, client) {
            (Clients::All, _) | (Clients::AllPods, Client::Pod(_)) => true,
            (Clients::Pods, Client::Pod(pod)) => !pod.host_network,
            (Clients::Namespace | Clients::Selector(_), Client::Pod(pod)) => {
                self.clients.contains(&pod.reference) == (self.row.fallback == Fallback::Original)
            }
            (Clients::Pods | Clients::AllPods | Clients::Namespace | Clients::Selector(_), Client::Host) => {
                false
            }
        };
        match selected {
            true => Answer::Pass(format!("`lrpc.dev/clients: {clients}` covers {client}")),
            false => Answer::Decided(
                Decision::Original(Reason::ClientNotSelected),
                format!("`lrpc.dev/clients: {clients}` leaves {client} alone"),
            ),
        }
    }

    fn own_traffic(&self) -> Answer {
        let client = &self.client;
        match client {
            _ if !self.row.skip_flag => {
                Answer::Pass("the policy does not set `skipRedirectFromBackend`".to_owned())
            }
            Client::Pod(pod) if self.exempt.contains(&pod.reference) => Answer::Decided(
                Decision::Original(Reason::OwnTraffic),
                format!("`skipRedirectFromBackend`: {client} is one of the policy's own"),
            ),
            Client::Pod(_) | Client::Host => {
                Answer::Pass(format!("`skipRedirectFromBackend` does not exempt {client}"))
            }
        }
    }

    fn backends(&self) -> (Decision, String) {
        let fallback = match self.row.fallback {
            Fallback::Original => "the connection goes where it would have gone",
            Fallback::Drop => "`lrpc.dev/fallback: drop` refuses the connection",
        };
        match &self.row.outcome {
            Outcome::Redirect(backends) => {
                let why = match backends.len() {
                    1 => "there is one usable backend".to_owned(),
                    count => format!("there are {count} usable backends"),
                };
                (Decision::Redirect, why)
            }
            Outcome::Original(reason @ mapset::Reason::PortNotServed) => {
                let why =
                    "the policy has no backend port for this port of its Service; no fallback covers it";
                (Decision::Original(Reason::Row(*reason)), why.to_owned())
            }
            Outcome::Original(reason) => {
                (Decision::Original(Reason::Row(*reason)), format!("{}; {fallback}", missing(*reason)))
            }
            Outcome::Drop(reason) => (Decision::Drop(*reason), format!("{}; {fallback}", missing(*reason))),
        }
    }
}

fn decided(reason: mapset::Reason, why: String) -> Answer {
    Answer::Decided(Decision::Original(Reason::Row(reason)), why)
}

/// Why there is no usable backend.
fn missing(reason: mapset::Reason) -> &'static str {
    match reason {
        mapset::Reason::BackendNotIdentified => "a ready pod that must be exempt has no UID (L8)",
        mapset::Reason::NoReadyBackend => "no selected pod of the node is ready",
        mapset::Reason::NoUsableBackend => "no ready pod serves this family, protocol, port and name (L4)",
        mapset::Reason::NodeNotSelected
        | mapset::Reason::AddressOwnedByService
        | mapset::Reason::AddressNotAllowed
        | mapset::Reason::PortNotServed => "the policy does not serve this frontend",
    }
}
