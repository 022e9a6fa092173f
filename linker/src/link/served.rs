//! Which backend ports serve a frontend: the join by number, name and protocol (R8, R9, R14, R15, L4).
//!
//! Whether a pod *has* such a port is the next question, in [`backends`](super::backends).

use lrpc_schema::image::{Kind, Policy, PortSpec};

use super::claims::{Claim, FrontendPort};
use super::selected::{Selected, is_left_out};
use crate::inventory::{Pod, Service, ServicePort, TargetPort};

/// The backend ports that serve one frontend, and what a pod's port must be called.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Backend ports with their places in the policy's list. Empty where the policy lists the frontend and
    /// has no port for it.
    pub(super) ports: Vec<(usize, &'a PortSpec)>,
    /// Where a pod's port needs a name.
    pub(super) name: PodPortName<'a>,
}

/// Which name a pod's port must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PodPortName<'a> {
    /// Any or none, and a pod that declares no ports serves the backend port as well (R10).
    Any,
    /// That of the backend port (R9).
    Policy,
    /// The Service's named targetPort, by which an all-ports policy chose the frontend (L4).
    Target(&'a str),
}

/// The backend ports of a frontend; `None` where an all-ports policy does not serve it (L4).
pub(super) fn wanted<'a>(
    policy: &'a Policy,
    claim: &Claim<'a>,
    single: Option<&SinglePort<'a>>,
) -> Option<Wanted<'a>> {
    let backend_ports = policy.counting_backend_ports().iter().enumerate();
    let mut same_protocol = backend_ports.filter(|(_, spec)| spec.protocol == claim.frontend.protocol);
    let named = |name: &str, (_, spec): &(usize, &PortSpec)| spec.name.as_deref() == Some(name);
    match policy.kind() {
        Kind::AddressSingle | Kind::ServiceSingle => {
            Some(Wanted { ports: same_protocol.collect(), name: PodPortName::Any })
        }
        Kind::AddressNamed | Kind::ServiceNamed => {
            let ports = match claim.port.name() {
                Some(name) => same_protocol.filter(|port| named(name, port)).collect(),
                // An unnamed port can be served only where there is no choice (R15).
                None if policy.backend.ports.len() == 1 => same_protocol.collect(),
                None => Vec::new(),
            };
            Some(Wanted { ports, name: PodPortName::Policy })
        }
        Kind::ServiceAll => match single {
            Some(single) => Some(Wanted { ports: vec![(0, single.backend)], name: single.serves(claim)? }),
            None => {
                let name = claim.port.name()?;
                let port = same_protocol.find(|port| named(name, port))?;
                Some(Wanted { ports: vec![port], name: PodPortName::Policy })
            }
        },
    }
}

/// Which ports of a Service an all-ports policy with one backend port serves on a node (L4).
#[derive(Debug)]
pub(super) struct SinglePort<'a> {
    backend: &'a PortSpec,
    served: Vec<(&'a ServicePort, PodPortName<'a>)>,
}

impl<'a> SinglePort<'a> {
    /// `None` where the policy is of another kind or has several backend ports.
    pub(super) fn new(policy: &'a Policy, service: &'a Service, selected: &Selected<'a>) -> Option<Self> {
        let (Kind::ServiceAll, [backend]) = (policy.kind(), policy.backend.ports.as_slice()) else {
            return None;
        };
        let same_protocol = || service.ports.iter().filter(|port| port.protocol == Some(backend.protocol));
        let mut only = same_protocol();
        if let (Some(port), None) = (only.next(), only.next()) {
            return Some(Self { backend, served: vec![(port, PodPortName::Any)] });
        }
        let declaring = Declaring::new(policy, selected);
        let by_target = |port: &'a ServicePort| match &port.target {
            TargetPort::Number(number) => (*number == backend.port).then_some((port, PodPortName::Any)),
            TargetPort::Name(name) => {
                declaring.any(name, backend).then_some((port, PodPortName::Target(name)))
            }
        };
        let mut served: Vec<_> = same_protocol().filter_map(by_target).collect();
        if served.is_empty() {
            let by_number = same_protocol().find(|port| port.port == backend.port);
            served.extend(by_number.map(|port| (port, PodPortName::Any)));
        }
        Some(Self { backend, served })
    }

    fn serves(&self, claim: &Claim<'a>) -> Option<PodPortName<'a>> {
        let FrontendPort::Service(port) = claim.port else { return None };
        self.served.iter().find(|(served, _)| std::ptr::eq(*served, port)).map(|(_, name)| *name)
    }
}

/// The pods whose declarations say what a named targetPort is: the selected ones that have an address under
/// L15, ready or not; terminating ones only where there is no other.
struct Declaring<'a>(Vec<&'a Pod>);

impl<'a> Declaring<'a> {
    fn new(policy: &Policy, selected: &Selected<'a>) -> Self {
        let mut pods: Vec<_> = selected.iter().filter(|pod| !is_left_out(policy, pod)).collect();
        if pods.iter().any(|pod| !pod.terminating) {
            pods.retain(|pod| !pod.terminating);
        }
        Self(pods)
    }

    /// Whether a pod calls the backend port so. Without pods every name may be the right one: a policy that
    /// drops must not open a port because its pods are gone.
    fn any(&self, name: &str, backend: &PortSpec) -> bool {
        let declares = |pod: &&Pod| {
            pod.ports.iter().flatten().any(|port| port.is(backend) && port.name.as_deref() == Some(name))
        };
        self.0.is_empty() || self.0.iter().any(declares)
    }
}
