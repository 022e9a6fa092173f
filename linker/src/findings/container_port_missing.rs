//! Ready pods declare ports, but not the one that the policy sends traffic to (R7, R8, R11).

use std::fmt;

use lrpc_schema::image::{Policy, PortSpec};

use super::{Code, Facts, Field, field, listed};
use crate::inventory::{ContainerPort, Pod, UncountedPort};

pub(crate) struct ContainerPortMissing<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) place: usize,
    pub(crate) spec: &'a PortSpec,
    /// The name that the pod's port needs.
    pub(crate) name: Option<&'a str>,
    /// A ready pod without such a port.
    pub(crate) pod: &'a Pod,
}

impl Facts for ContainerPortMissing<'_> {
    const CODE: Code = Code::new("container-port-missing");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::backend_number(self.place)
    }

    fn message(&self) -> String {
        let PortSpec { port, protocol, .. } = self.spec;
        match self.name {
            Some(name) => format!("no ready pod declares the port {port}/{protocol} named `{name}`"),
            None => format!("no ready pod declares the port {port}/{protocol}"),
        }
    }

    fn help(&self) -> String {
        let pod = &self.pod.reference;
        let help = match self.pod.ports.as_deref() {
            None => format!(
                "pod `{pod}` declares no port, which is enough only where names do not count; add the named \
                 port to its container"
            ),
            Some([]) => format!("pod `{pod}` declares ports of other protocols only"),
            Some(ports) => format!("pod `{pod}` declares {}", listed(ports.iter().map(Declared))),
        };
        match self.pod.uncounted.iter().find(|one| one.port.is(self.spec)) {
            Some(UncountedPort { container, ephemeral, port }) => {
                let kind = if *ephemeral { "ephemeral" } else { "init" };
                format!(
                    "{help}; `{}` of {kind} container `{container}` does not count (R7): declare it in a regular \
                     container too",
                    Declared(port)
                )
            }
            None => help,
        }
    }
}

/// A container port as `53/UDP (dns)`.
pub(super) struct Declared<'a>(pub(super) &'a ContainerPort);

impl fmt::Display for Declared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.port, self.0.protocol)?;
        match &self.0.name {
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

/// The port that a pod declares with the number and protocol of a backend port.
pub(super) fn declared<'a>(pod: &'a Pod, spec: &PortSpec) -> Option<&'a ContainerPort> {
    pod.ports.iter().flatten().find(|port| port.is(spec))
}
