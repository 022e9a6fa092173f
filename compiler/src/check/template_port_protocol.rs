//! R8, R12: the number is declared, but for the other protocol; a `containerPort` without `protocol` is TCP.

use super::Member;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::workload::{ContainerPort, Miss, Template, declared};

pub(crate) const PAGE: Page = page!(
    "template-port-protocol",
    Warning,
    since "0.1.0",
    "the selected pod templates declare the backend port for the other protocol"
);

pub(super) fn report(
    member: &Member<'_>,
    miss: &Miss<'_>,
    template: &Template,
    found: &ContainerPort,
) -> Diagnostic {
    let (port, protocol) = (miss.port.value, miss.protocol.value);
    let diagnostic = PAGE
        .report(format!("no selected pod template declares port {port} for {protocol}"))
        .at(&member.policy.source, miss.protocol.span, "the other protocol")
        .related(&template.source, found.at, format!("{} declares `{}`", template.shown.value, declared(found)))
        .help(format!(
            "add `protocol: {protocol}` to the container port (without it a port is TCP), or declare the port for both"
        ));
    member.about(diagnostic)
}
