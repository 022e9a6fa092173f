//! A row as `dump` shows it: what the maps say, joined with the names behind it where they are known.

use std::net::IpAddr;

use serde::Serialize;

use super::{Backend, PodRef, Row};
use crate::profile::{Gap, Profile};

/// A frontend as `dump` shows it; null where only a name could say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownRow {
    /// The frontend's address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Its protocol, `TCP` or `UDP`.
    pub protocol: String,
    /// The policy, `NAMESPACE/NAME`.
    pub policy: Option<String>,
    /// The Service of a service policy, `NAMESPACE/NAME`.
    pub service: Option<String>,
    /// `redirect`, `original` or `drop`.
    pub state: String,
    /// Why it is not redirected.
    pub reason: Option<String>,
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

fn names(pods: &[PodRef]) -> Vec<String> {
    pods.iter().map(ToString::to_string).collect()
}

impl ShownRow {
    /// A row with what a profile makes of it.
    pub fn of(row: &Row, profile: Profile) -> Self {
        Self {
            address: row.frontend.address,
            port: row.frontend.port.get(),
            protocol: row.frontend.protocol.to_string(),
            policy: Some(row.policy.to_string()),
            service: row.service.as_ref().map(ToString::to_string),
            state: row.state().to_string(),
            reason: row.reason().map(|reason| reason.to_string()),
            backends: row.backends().iter().map(ShownBackend::from).collect(),
            skip: Some(names(&row.skip)),
            clients: Some(row.clients.to_string()),
            left_out: profile.left_out(row),
        }
    }

    /// Takes over the names of the kept row of the same frontend. What the maps say stays.
    pub fn named_by(&mut self, kept: &Self) {
        self.policy.clone_from(&kept.policy);
        self.service.clone_from(&kept.service);
        self.skip.clone_from(&kept.skip);
        self.clients.clone_from(&kept.clients);
        if self.state == kept.state {
            self.reason.clone_from(&kept.reason);
        }
        for backend in &mut self.backends {
            let same =
                kept.backends.iter().find(|to| (to.address, to.port) == (backend.address, backend.port));
            backend.pods = same.and_then(|to| to.pods.clone());
        }
    }
}
