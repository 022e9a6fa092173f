//! R15: where names count, a Service port is served by the backend port of its name, and here none has it.

use super::Member;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::PortInfo;
use crate::workload::{Service, ServicePort, shown_port};

pub(crate) const PAGE: Page = page!(
    "service-port-name",
    Warning,
    since "0.1.0",
    "no backend port has the name of the Service's port"
);

/// Each listed port; of an all-ports policy only where no port of the Service is served.
pub(super) fn check(member: &Member<'_>, service: &Service, out: &mut Vec<Diagnostic>) {
    let policy = member.policy;
    let backends = &policy.backend.ports;
    if !policy.do_names_count() || !backends.is_whole {
        return;
    }
    let listed = policy.frontend.as_ref().map_or(&[][..], |frontend| &frontend.ports().list);
    let is_listed = |port: &&ServicePort| {
        let is_it = |info: &PortInfo| {
            info.port.is_some_and(|one| one.value == port.port)
                && info.protocol.map(|one| one.value) == port.protocol
        };
        listed.is_empty() || listed.iter().any(is_it)
    };
    let is_served = |port: &&ServicePort| match &port.name {
        Some(name) => backends
            .list
            .iter()
            .any(|info| info.name() == Some(name) && info.protocol.map(|one| one.value) == port.protocol),
        None => backends.list.len() == 1,
    };
    let meant: Vec<_> =
        service.ports.iter().filter(|port| port.protocol.is_some()).filter(is_listed).collect();
    let missed: Vec<_> = meant.iter().copied().filter(|port| !is_served(port)).collect();
    if listed.is_empty() && missed.len() < meant.len() {
        return;
    }
    out.extend(missed.into_iter().filter_map(|port| report(member, service, port)));
}

fn report(member: &Member<'_>, service: &Service, port: &ServicePort) -> Option<Diagnostic> {
    let backends = &member.policy.backend.ports.list;
    let same_protocol = |info: &&PortInfo| info.protocol.map(|one| one.value) == port.protocol;
    let same = |info: &&PortInfo| same_protocol(info) && info.port.is_some_and(|one| one.value == port.port);
    let nearest =
        backends.iter().find(same).or_else(|| backends.iter().find(same_protocol)).or(backends.first())?;
    let help = match &port.name {
        Some(name) => format!(
            "one name must run through Service port, backend port and container port: call the backend port and \
             its container port `{name}`, or the Service's port as they are called"
        ),
        None => "give the Service's port the name of a backend port".to_owned(),
    };
    let at = nearest.name.written().map_or(nearest.at, |name| name.span);
    let diagnostic = PAGE
        .report(format!(
            "no backend port has the name of port `{}` of Service `{}`",
            shown_port(port),
            service.name.value
        ))
        .at(&member.policy.source, at, "another name")
        .related(&service.source, port.at, "the Service's port")
        .help(help);
    Some(member.about(diagnostic))
}
