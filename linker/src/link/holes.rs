//! Why ready pods serve nothing: the hole in the join of family, protocol, number and name (R17, L4).
//!
//! The nearest miss is reported: all fits but the family, all but a name, all but the protocol, else the
//! port is not there.

use lrpc_schema::image::{Policy, PortSpec};

use super::backends::{same_family, serves};
use super::claims::{Claim, Claims, FrontendPort};
use super::selected::{Selected, is_left_out};
use super::served::{PodPortName, Wanted};
use crate::findings::{
    Called, ContainerPortMissing, Facts, FamilyHole, Finding, NameChainBroken, NamedFrontend, ProtocolHole,
};
use crate::inventory::{ContainerPort, Pod};

/// The finding about a frontend without a usable backend; `None` where a finding about the pods says it already.
pub(super) fn why(
    claims: &Claims<'_>,
    claim: &Claim<'_>,
    wanted: &Wanted<'_>,
    selected: &Selected<'_>,
) -> Option<Finding> {
    let policy = claims.policy;
    let ready: Vec<_> = selected.ready().filter(|pod| !is_left_out(policy, pod)).collect();
    let &pod = ready.first()?;
    let Some(&(place, spec)) = wanted.ports.first() else {
        return Some(no_backend_port(claims, claim, pod));
    };
    let any = |fits: &dyn Fn(&Pod) -> bool| ready.iter().copied().find(|pod| fits(pod));
    let declares = |pod: &Pod, fits: &dyn Fn(&ContainerPort) -> bool| pod.ports.iter().flatten().any(fits);

    if let Some(pod) = any(&|pod| wanted.ports.iter().any(|(_, spec)| serves(pod, spec, wanted.name))) {
        // What is not reachable has a finding of its own.
        let is_unreachable = |address| same_family(address, &claim.frontend);
        if policy.backend.address.is_none() && pod.unreachable.iter().any(is_unreachable) {
            return None;
        }
        return Some(FamilyHole { policy, frontend: claim.frontend, pod }.found());
    }
    if wanted.name != PodPortName::Any
        && let Some(pod) = any(&|pod| declares(pod, &|port| port.is(spec)))
    {
        let called = Called::Container { place, wanted: pod_port_name(spec, wanted.name), pod };
        return Some(
            NameChainBroken { policy, frontend: named(claims, claim), backend: Some(spec), called }.found(),
        );
    }
    let other_protocol = |port: &ContainerPort| port.port == spec.port && port.protocol != spec.protocol;
    if let Some(pod) = any(&|pod| declares(pod, &other_protocol)) {
        return Some(ProtocolHole { policy, place, spec, frontend: claim.frontend, pod: Some(pod) }.found());
    }
    let name = pod_port_name(spec, wanted.name);
    Some(ContainerPortMissing { policy, place, spec, name, pod }.found())
}

/// The policy lists the frontend and has no backend port for it.
fn no_backend_port(claims: &Claims<'_>, claim: &Claim<'_>, pod: &Pod) -> Finding {
    let policy = claims.policy;
    let is_single = policy.kind().is_single();
    let other_protocol = |(_, spec): &(usize, &PortSpec)| {
        let fits = is_single || spec.name.as_deref() == claim.port.name();
        fits && spec.protocol != claim.frontend.protocol
    };
    let meant = policy.counting_backend_ports().iter().enumerate().find(other_protocol);
    if let Some((place, spec)) = meant {
        return ProtocolHole { policy, place, spec, frontend: claim.frontend, pod: None }.found();
    }
    let called = Called::Backend { pod };
    NameChainBroken { policy, frontend: named(claims, claim), backend: nearest(policy, claim), called }
        .found()
}

/// The backend port that was probably meant: the one with the frontend's protocol and number, else with its
/// protocol, else the first.
fn nearest<'a>(policy: &'a Policy, claim: &Claim<'_>) -> Option<&'a PortSpec> {
    let ports = &policy.backend.ports;
    let protocol = |spec: &&PortSpec| spec.protocol == claim.frontend.protocol;
    let number = |spec: &&PortSpec| protocol(spec) && spec.port == claim.frontend.port;
    ports.iter().find(number).or_else(|| ports.iter().find(protocol)).or_else(|| ports.first())
}

fn named<'a>(claims: &'a Claims<'_>, claim: &Claim<'a>) -> NamedFrontend<'a> {
    NamedFrontend {
        name: claim.port.name(),
        port: claim.frontend.port,
        protocol: claim.frontend.protocol,
        service: match claim.port {
            FrontendPort::Service(_) => claims.service.map(|service| &service.name),
            FrontendPort::Address(_) => None,
        },
    }
}

fn pod_port_name<'a>(spec: &'a PortSpec, name: PodPortName<'a>) -> Option<&'a str> {
    match name {
        PodPortName::Any => None,
        PodPortName::Policy => spec.name.as_deref(),
        PodPortName::Target(target) => Some(target),
    }
}
