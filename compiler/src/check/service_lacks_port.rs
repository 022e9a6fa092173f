//! R14: a listed frontend port counts by number and protocol, and the Service that lies beside has no such port.

use super::Member;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::PortInfo;
use crate::workload::{Service, shown_port};

pub(crate) const PAGE: Page = page!(
    "service-lacks-port",
    Warning,
    since "0.1.0",
    "the Service beside the policy does not have a listed port"
);

pub(super) fn check(member: &Member<'_>, service: &Service, out: &mut Vec<Diagnostic>) {
    let policy = member.policy;
    let listed = policy.frontend.iter().flat_map(|frontend| &frontend.ports().list);
    out.extend(listed.filter_map(|info| report(member, service, info)));
}

fn report(member: &Member<'_>, service: &Service, info: &PortInfo) -> Option<Diagnostic> {
    let (port, protocol) = (info.port?, info.protocol?);
    let is_it = |number, other: Option<_>| number == port.value && other == Some(protocol.value);
    if service.ports.iter().any(|one| is_it(one.port, one.protocol)) {
        return None;
    }
    let ports: Vec<_> = service.ports.iter().take(4).map(|port| format!("`{}`", shown_port(port))).collect();
    let named =
        info.name().and_then(|name| service.ports.iter().find(|one| one.name.as_deref() == Some(name)));
    let at = named.or(service.ports.first()).map_or(service.name.span, |one| one.at);
    let diagnostic = PAGE
        .report(format!("Service `{}` has no port {}/{}", service.name.value, port.value, protocol.value))
        .at(&member.policy.source, port.span, "no such port")
        .related(&service.source, at, "what the Service has")
        .help(format!("list the number at which clients connect: its ports are {}", ports.join(", ")));
    Some(member.about(diagnostic))
}
