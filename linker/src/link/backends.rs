//! Which pods serve a frontend, and where (R6-R12, L4, L9, L15).

use std::collections::BTreeMap;
use std::net::IpAddr;

use lrpc_schema::image::{Policy, Port, PortSpec};

use super::selected::{Selected, addresses};
use super::served::{PodPortName, Wanted};
use crate::inventory::{ContainerPort, Pod};
use crate::mapset::{Backend, Frontend, PodRef};

/// Where the connections of a frontend can go.
pub(super) struct Usable<'a> {
    /// Sorted by address and port: what is on pods that stay, else what is on pods that are terminating (L9).
    /// Pods that serve at one address and port are one backend (L4).
    pub(super) backends: Vec<Backend>,
    /// A pod that serves at the frontend itself, which leads nowhere.
    pub(super) at_frontend: Option<&'a Pod>,
}

/// The usable backends of a frontend.
pub(super) fn usable<'a>(
    policy: &Policy,
    frontend: &Frontend,
    wanted: &Wanted<'_>,
    selected: &Selected<'a>,
) -> Usable<'a> {
    let mut staying = Places::new();
    let mut terminating = Places::new();
    let mut at_frontend = None;
    for pod in selected.ready() {
        let places = if pod.terminating { &mut terminating } else { &mut staying };
        for address in addresses(policy, pod).filter(|address| same_family(address, frontend)) {
            for (_, spec) in wanted.ports.iter().filter(|(_, spec)| serves(pod, spec, wanted.name)) {
                if (address, spec.port) == (frontend.address, frontend.port) {
                    at_frontend.get_or_insert(pod);
                    continue;
                }
                let pods = places.entry((address, spec.port)).or_default();
                // A pod is met once for each declaration of the port, one after the other.
                if pods.last() != Some(&pod.reference) {
                    pods.push(pod.reference.clone());
                }
            }
        }
    }
    let places = if staying.is_empty() { terminating } else { staying };
    let backends =
        places.into_iter().map(|((address, port), pods)| Backend { address, port, pods }).collect();
    Usable { backends, at_frontend }
}

type Places = BTreeMap<(IpAddr, Port), Vec<PodRef>>;

/// A frontend's connections stay in its family (R12).
pub(super) fn same_family(address: &IpAddr, frontend: &Frontend) -> bool {
    address.is_ipv4() == frontend.address.is_ipv4()
}

/// Whether a pod has a port for a backend port. Each of its declarations is judged by itself (L4); one that
/// declares no ports is taken at the policy's word, unless a name is needed (R10).
pub(super) fn serves(pod: &Pod, spec: &PortSpec, name: PodPortName<'_>) -> bool {
    match &pod.ports {
        None => name == PodPortName::Any,
        Some(ports) => ports.iter().any(|port| port.is(spec) && is_named(port, spec, name)),
    }
}

fn is_named(port: &ContainerPort, spec: &PortSpec, name: PodPortName<'_>) -> bool {
    match name {
        PodPortName::Any => true,
        PodPortName::Policy => port.name.as_deref() == spec.name.as_deref(),
        PodPortName::Target(target) => port.name.as_deref() == Some(target),
    }
}
