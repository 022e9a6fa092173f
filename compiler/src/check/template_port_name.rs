//! R9: where names count, the container port must have the name of the backend port.

use super::Member;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::workload::{ContainerPort, Miss, Template, declared};

pub(crate) const PAGE: Page = page!(
    "template-port-name",
    Warning,
    since "0.1.0",
    "the names of the backend port and of the container port differ"
);

pub(super) fn report(
    member: &Member<'_>,
    miss: &Miss<'_>,
    template: &Template,
    found: &ContainerPort,
) -> Option<Diagnostic> {
    let name = miss.info.name.written()?;
    let diagnostic = PAGE
        .report(format!(
            "no selected pod template names port {}/{} `{}`",
            miss.port.value, miss.protocol.value, name.value
        ))
        .at(&member.policy.source, name.span, "the policy's name for it")
        .related(
            &template.source,
            found.at,
            format!("{} declares `{}`", template.shown.value, declared(found)),
        )
        .help("one name must run through Service port, backend port and container port: give them the same");
    Some(member.about(diagnostic))
}
