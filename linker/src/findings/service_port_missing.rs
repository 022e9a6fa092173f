//! A service policy lists a port that its Service does not have (R14).

use lrpc_schema::image::{Policy, PortSpec};

use super::{Code, Facts, Field, field, listed};
use crate::inventory::{Service, ServicePort};

pub(crate) struct ServicePortMissing<'a> {
    pub(crate) policy: &'a Policy,
    /// Place of the port in the policy's list.
    pub(crate) place: usize,
    pub(crate) spec: &'a PortSpec,
    pub(crate) service: &'a Service,
}

impl Facts for ServicePortMissing<'_> {
    const CODE: Code = Code::new("service-port-missing");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::frontend(self.policy, Some(self.place))
    }

    fn message(&self) -> String {
        let PortSpec { port, protocol, .. } = self.spec;
        format!("Service `{}` has no port {port}/{protocol}", self.service.name)
    }

    fn help(&self) -> String {
        let shown = |port: &ServicePort| {
            let protocol = port.protocol.map_or("SCTP", |protocol| protocol.as_str());
            format!("{}/{protocol}", port.port)
        };
        format!("its ports are {}", listed(self.service.ports.iter().map(shown)))
    }
}
