//! L15: `lrpc.dev/backend-address` is an address of the node, which only a hostNetwork pod listens on.

use super::Member;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::workload::Template;

pub(crate) const PAGE: Page = page!(
    "template-not-on-host",
    Warning,
    since "0.1.0",
    "a selected pod template is not on the host network, where `lrpc.dev/backend-address` is"
);

pub(super) fn check(member: &Member<'_>, templates: &[&Template]) -> Option<Diagnostic> {
    let address = member.policy.annotations.backend_address?;
    let template = templates.iter().find(|template| !template.host_network)?;
    let diagnostic = PAGE
        .report(format!("{} is not on the host network and gives no backend", template.shown.value))
        .at(&member.policy.source, address.span, "an address of the node")
        .related(&template.source, template.shown.span, "without `hostNetwork: true`")
        .help("set `hostNetwork: true` in the pod template, or remove the annotation");
    Some(member.about(diagnostic))
}
