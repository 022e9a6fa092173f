//! R7, R11: a pod that declares ports, but not the one that the policy names, is no backend.

use super::Member;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::workload::{Miss, Template, declared};

pub(crate) const PAGE: Page = page!(
    "template-port-missing",
    Warning,
    since "0.1.0",
    "no selected pod template declares the backend port"
);

pub(super) fn report(member: &Member<'_>, miss: &Miss<'_>, template: &Template) -> Diagnostic {
    let (port, protocol) = (miss.port.value, miss.protocol.value);
    let shown = &template.shown.value;
    let same = |one: &&crate::workload::ContainerPort| one.port == port && one.protocol == Some(protocol);
    let help = match (template.uncounted.iter().find(same), template.ports()) {
        (Some(one), _) => format!(
            "port {port}/{protocol} of init container `{}` does not count (R7): declare it in a regular container too",
            one.container
        ),
        (None, []) => {
            format!("{shown} declares no port, and here a port needs a name: declare it with its name")
        }
        (None, ports) => {
            let ports: Vec<_> = ports.iter().take(4).map(|port| format!("`{}`", declared(port))).collect();
            format!(
                "{shown} declares {}: declare the port in the container, or name one of these",
                ports.join(", ")
            )
        }
    };
    let at = template.ports().first().map_or(template.shown.span, |port| port.at);
    let diagnostic = PAGE
        .report(format!("no selected pod template declares port {port}/{protocol}"))
        .at(&member.policy.source, miss.port.span, "declared by no template")
        .related(&template.source, at, format!("what {shown} declares"))
        .help(help);
    member.about(diagnostic)
}
