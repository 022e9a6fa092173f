//! A map set as bytes, so that a node can be given the same set again without image and inventory.
//!
//! `docs/state-format.md` draws them. A pod is written once and pointed at, since one may serve a thousand
//! frontends.

use std::collections::HashMap;
use std::io::{self, Write};

use lrpc_schema::image::wire::Writer;

use super::{MapSet, Outcome, PodRef, Reason, Row, ServiceName};

impl MapSet {
    /// Writes the set; [`MapSet::read`] reads it.
    ///
    /// # Errors
    /// `out` refuses.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut rows = Rows::default();
        rows.out.count(self.rows.len());
        for row in &self.rows {
            rows.row(row);
        }
        let mut pods = Writer::default();
        pods.count(rows.pods.len());
        for pod in &rows.pods {
            pods.text(&pod.namespace);
            pods.text(&pod.name);
            pods.option(pod.uid.as_deref(), Writer::text);
        }
        out.write_all(pods.bytes())?;
        out.write_all(rows.out.bytes())
    }
}

/// The rows that have been written, and the pods that they point at.
#[derive(Default)]
struct Rows<'a> {
    out: Writer,
    /// The pods, in the order in which rows name them.
    pods: Vec<&'a PodRef>,
    /// Where in `pods` each is.
    numbers: HashMap<&'a PodRef, usize>,
}

impl<'a> Rows<'a> {
    fn row(&mut self, row: &'a Row) {
        self.out.ip(row.frontend.address);
        self.out.u16(row.frontend.port.get());
        self.out.u8(row.frontend.protocol.number());
        self.out.text(&row.policy.namespace);
        self.out.text(&row.policy.name);
        self.out.option(row.service.as_ref(), |out, ServiceName { namespace, name }| {
            out.text(namespace);
            out.text(name);
        });
        match &row.outcome {
            Outcome::Redirect(backends) => {
                self.out.u8(0);
                self.out.count(backends.len());
                for backend in backends {
                    self.out.ip(backend.address);
                    self.out.u16(backend.port.get());
                    self.pods(&backend.pods);
                }
            }
            Outcome::Original(reason) => {
                self.out.u8(1);
                self.out.u8(number(*reason));
            }
            Outcome::Drop(reason) => {
                self.out.u8(2);
                self.out.u8(number(*reason));
            }
        }
        self.out.bool(row.skip_flag);
        self.pods(&row.skip);
        self.out.fallback(row.fallback);
        self.out.clients(&row.clients);
        self.pods(&row.client_pods);
    }

    fn pods(&mut self, pods: &'a [PodRef]) {
        self.out.count(pods.len());
        for pod in pods {
            let next = self.pods.len();
            let number = *self.numbers.entry(pod).or_insert_with(|| {
                self.pods.push(pod);
                next
            });
            self.out.count(number);
        }
    }
}

fn number(reason: Reason) -> u8 {
    match reason {
        Reason::NodeNotSelected => 0,
        Reason::AddressOwnedByService => 1,
        Reason::AddressNotAllowed => 2,
        Reason::BackendNotIdentified => 3,
        Reason::PortNotServed => 4,
        Reason::NoReadyBackend => 5,
        Reason::NoUsableBackend => 6,
    }
}
