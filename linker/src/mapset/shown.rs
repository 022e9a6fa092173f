//! A row as `dump` shows it: what the maps say, joined with the names behind it where they are known.

use std::fmt::Display;
use std::net::IpAddr;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::{Backend, PodRef, Reason, Row};

/// A frontend as `dump` shows it and the state directory keeps it; null where only a name could say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// A backend of a [`ShownRow`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl From<&Row> for ShownRow {
    fn from(row: &Row) -> Self {
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
        }
    }
}

/// A row as the state directory keeps it: a [`ShownRow`] that is written without being built, since a set
/// may have a hundred thousand.
pub struct KeptRow<'a>(pub &'a Row);

impl Serialize for KeptRow<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let mut shown = to.serialize_struct("ShownRow", 10)?;
        shown.serialize_field("address", &row.frontend.address)?;
        shown.serialize_field("port", &row.frontend.port.get())?;
        shown.serialize_field("protocol", row.frontend.protocol.as_str())?;
        shown.serialize_field("policy", &Shown(&row.policy))?;
        shown.serialize_field("service", &row.service.as_ref().map(Shown))?;
        shown.serialize_field("state", row.state().as_str())?;
        shown.serialize_field("reason", &row.reason().map(Reason::as_str))?;
        shown.serialize_field("backends", &Each(row.backends(), KeptBackend))?;
        shown.serialize_field("skip", &Each(&row.skip, Shown))?;
        shown.serialize_field("clients", &Shown(&row.clients))?;
        shown.end()
    }
}

struct KeptBackend<'a>(&'a Backend);

impl Serialize for KeptBackend<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut shown = to.serialize_struct("ShownBackend", 3)?;
        shown.serialize_field("address", &self.0.address)?;
        shown.serialize_field("port", &self.0.port.get())?;
        shown.serialize_field("pods", &Each(&self.0.pods, Shown))?;
        shown.end()
    }
}

/// A value as its text.
struct Shown<'a, T>(&'a T);

impl<T: Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self.0)
    }
}

/// A list, each element made by a function.
pub struct Each<'a, T, U>(pub &'a [T], pub fn(&'a T) -> U);

impl<T, U: Serialize> Serialize for Each<'_, T, U> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(self.1))
    }
}

impl ShownRow {
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
