//! A map set as bytes, so that a node can be given the same set again without image and inventory.
//!
//! `docs/state-format.md` draws them. A pod is written once and pointed at, since one may serve a thousand
//! frontends.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::IpAddr;

use lrpc_schema::image::{Clients, Fallback, Operator, Selector};

use super::{MapSet, Outcome, PodRef, Reason, Row};

impl MapSet {
    /// Writes the set; [`MapSet::read`] reads it.
    ///
    /// # Errors
    /// `out` refuses.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut rows = Record::default();
        rows.count(self.rows.len());
        for row in &self.rows {
            rows.row(row);
        }
        let mut pods = Record::default();
        pods.count(rows.pods.len());
        for pod in &rows.pods {
            pods.pod(pod);
        }
        out.write_all(&pods.bytes)?;
        out.write_all(&rows.bytes)
    }
}

/// What has been written, and the pods that it points at.
#[derive(Default)]
struct Record<'a> {
    bytes: Vec<u8>,
    /// The pods, in the order in which rows name them.
    pods: Vec<&'a PodRef>,
    /// Where in `pods` each is.
    numbers: HashMap<&'a PodRef, u32>,
}

impl<'a> Record<'a> {
    fn pod(&mut self, pod: &PodRef) {
        self.text(&pod.namespace);
        self.text(&pod.name);
        self.bool(pod.uid.is_some());
        if let Some(uid) = &pod.uid {
            self.text(uid);
        }
    }

    fn row(&mut self, row: &'a Row) {
        self.address(row.frontend.address);
        self.u16(row.frontend.port.get());
        self.u8(row.frontend.protocol.number());
        self.text(&row.policy.namespace);
        self.text(&row.policy.name);
        self.bool(row.service.is_some());
        if let Some(service) = &row.service {
            self.text(&service.namespace);
            self.text(&service.name);
        }
        match &row.outcome {
            Outcome::Redirect(backends) => {
                self.u8(0);
                self.count(backends.len());
                for backend in backends {
                    self.address(backend.address);
                    self.u16(backend.port.get());
                    self.pods(&backend.pods);
                }
            }
            Outcome::Original(reason) => {
                self.u8(1);
                self.reason(*reason);
            }
            Outcome::Drop(reason) => {
                self.u8(2);
                self.reason(*reason);
            }
        }
        self.bool(row.skip_flag);
        self.pods(&row.skip);
        self.u8(match row.fallback {
            Fallback::Original => 0,
            Fallback::Drop => 1,
        });
        self.clients(&row.clients);
        self.pods(&row.client_pods);
    }

    fn reason(&mut self, reason: Reason) {
        self.u8(match reason {
            Reason::NodeNotSelected => 0,
            Reason::AddressOwnedByService => 1,
            Reason::AddressNotAllowed => 2,
            Reason::BackendNotIdentified => 3,
            Reason::PortNotServed => 4,
            Reason::NoReadyBackend => 5,
            Reason::NoUsableBackend => 6,
        });
    }

    fn clients(&mut self, clients: &Clients) {
        self.u8(match clients {
            Clients::All => 0,
            Clients::Pods => 1,
            Clients::Namespace => 2,
            Clients::Selector(_) => 3,
            Clients::AllPods => 4,
        });
        if let Clients::Selector(selector) = clients {
            self.selector(selector);
        }
    }

    fn selector(&mut self, selector: &Selector) {
        self.count(selector.requirements().len());
        for requirement in selector.requirements() {
            self.text(requirement.key());
            self.u8(match requirement.operator() {
                Operator::In => 0,
                Operator::NotIn => 1,
                Operator::Exists => 2,
                Operator::DoesNotExist => 3,
            });
            self.count(requirement.values().len());
            for value in requirement.values() {
                self.text(value);
            }
        }
    }

    fn pods(&mut self, pods: &'a [PodRef]) {
        self.count(pods.len());
        for pod in pods {
            let next = self.pods.len();
            let number = *self.numbers.entry(pod).or_insert_with(|| {
                self.pods.push(pod);
                saturated(next)
            });
            self.bytes.extend(number.to_le_bytes());
        }
    }

    fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => {
                self.u8(4);
                self.bytes.extend(v4.octets());
            }
            IpAddr::V6(v6) => {
                self.u8(6);
                self.bytes.extend(v6.octets());
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn count(&mut self, count: usize) {
        self.bytes.extend(saturated(count).to_le_bytes());
    }

    fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.bytes.extend(value.to_le_bytes());
    }
}

/// A number of things. Sets of 4 billion rows are refused long before, so the saturated value is never written.
fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
