//! A row as `dump` shows it: what the maps say, joined with the names behind it where they are known.

use std::fmt;
use std::net::IpAddr;

use lrpc_schema::image::Protocol;
use serde::{Serialize, Serializer};

use super::{Backend, PodRef, Reason, Row, State};
use crate::profile::{Gap, Profile};

/// A frontend as `dump` shows it; null where only a name could say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownRow {
    /// The frontend's address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Its protocol; `None` where an entry has one that no loader of this version writes.
    #[serde(serialize_with = "or_unknown")]
    pub protocol: Option<Protocol>,
    /// The policy, `NAMESPACE/NAME`.
    pub policy: Option<String>,
    /// The Service of a service policy, `NAMESPACE/NAME`.
    pub service: Option<String>,
    /// What happens to its connections; `None` where an entry says what no loader of this version writes.
    #[serde(serialize_with = "or_unknown")]
    pub state: Option<State>,
    /// Why it is not redirected.
    #[serde(serialize_with = "or_null")]
    pub reason: Option<Reason>,
    /// Where its connections go.
    pub backends: Vec<ShownBackend>,
    /// The exempt pods (L8).
    pub skip: Option<Vec<String>>,
    /// The annotation's value (L6).
    pub clients: Option<String>,
    /// Why the node's data path does not carry the row.
    pub left_out: Option<Gap>,
}

/// A backend of a [`ShownRow`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownBackend {
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The pods that serve here, `NAMESPACE/NAME`.
    pub pods: Option<Vec<String>>,
}

impl From<&Backend> for ShownBackend {
    fn from(to: &Backend) -> Self {
        Self { address: to.address, port: to.port.get(), pods: Some(names(&to.pods)) }
    }
}

/// What is said of an entry that no loader of this version writes.
const UNKNOWN: &str = "unknown";

fn or_unknown<T: fmt::Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_str(UNKNOWN),
    }
}

fn or_null<T: fmt::Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

fn names(pods: &[PodRef]) -> Vec<String> {
    pods.iter().map(ToString::to_string).collect()
}

impl ShownRow {
    /// A row with what a profile makes of it.
    pub fn of(row: &Row, profile: Profile) -> Self {
        Self {
            address: row.frontend.address,
            port: row.frontend.port.get(),
            protocol: Some(row.frontend.protocol),
            policy: Some(row.policy.to_string()),
            service: row.service.as_ref().map(ToString::to_string),
            state: Some(row.state()),
            reason: row.reason(),
            backends: row.backends().iter().map(ShownBackend::from).collect(),
            skip: Some(names(&row.skip)),
            clients: Some(row.clients.to_string()),
            left_out: profile.left_out(row),
        }
    }

    /// The state in one word.
    pub fn state_name(&self) -> &'static str {
        self.state.map_or(UNKNOWN, State::as_str)
    }

    /// The protocol in one word.
    pub fn protocol_name(&self) -> &'static str {
        self.protocol.map_or(UNKNOWN, Protocol::as_str)
    }

    /// Takes over the names of the kept row of the same frontend. What the maps say stays.
    pub fn named_by(&mut self, kept: &Self) {
        self.policy.clone_from(&kept.policy);
        self.service.clone_from(&kept.service);
        self.skip.clone_from(&kept.skip);
        self.clients.clone_from(&kept.clients);
        if self.state == kept.state {
            self.reason = kept.reason;
        }
        for backend in &mut self.backends {
            let same =
                kept.backends.iter().find(|to| (to.address, to.port) == (backend.address, backend.port));
            backend.pods = same.and_then(|to| to.pods.clone());
        }
    }
}
