//! A frontend's port is there, but only for the other protocol (R12, R17).

use lrpc_schema::image::{Policy, PortSpec};

use super::container_port_missing::Declared;
use super::{Code, Facts, Field, field, listed};
use crate::inventory::Pod;
use crate::mapset::Frontend;

pub(crate) struct ProtocolHole<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) place: usize,
    /// The backend port: of the other protocol itself where `pod` is none.
    pub(crate) spec: &'a PortSpec,
    pub(crate) frontend: Frontend,
    /// A ready pod that has the number with the other protocol only.
    pub(crate) pod: Option<&'a Pod>,
}

impl Facts for ProtocolHole<'_> {
    const CODE: Code = Code::new("protocol-hole");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::backend_protocol(self.place)
    }

    fn message(&self) -> String {
        let Self { spec, frontend, .. } = self;
        match self.pod {
            Some(_) => format!("no ready pod declares port {} for {}", spec.port, spec.protocol),
            None => format!(
                "backend port {}/{} cannot serve port {}/{}",
                spec.port, spec.protocol, frontend.port, frontend.protocol
            ),
        }
    }

    fn help(&self) -> String {
        match self.pod {
            Some(pod) => {
                let ports = pod.ports.as_deref().unwrap_or_default();
                format!("pod `{}` declares {}", pod.reference, listed(ports.iter().map(Declared)))
            }
            None => format!("add a backend port with protocol {}", self.frontend.protocol),
        }
    }
}
