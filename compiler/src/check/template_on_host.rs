//! L6: a metadata address is redirected for hostNetwork pods too, agents of the node among them.

use lrpc_schema::image::{Clients, is_metadata};

use super::Member;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::Frontend;
use crate::workload::{Template, Workloads};

pub(crate) const PAGE: Page = page!(
    "template-on-host",
    Warning,
    since "0.1.0",
    "a metadata address is redirected for a hostNetwork pod template too"
);

pub(super) fn check(
    member: &Member<'_>,
    workloads: &Workloads<'_>,
    selected: &[&Template],
) -> Option<Diagnostic> {
    let policy = member.policy;
    let Some(Frontend::Address { ip: Some(ip), ports }) = &policy.frontend else { return None };
    let is_taken = ports.list.iter().filter_map(|info| Some((info.port?.value, info.protocol?.value)));
    let is_wide = matches!(policy.annotations.clients, Clients::All | Clients::AllPods);
    if !is_wide || !is_taken.into_iter().any(|(port, protocol)| is_metadata(ip.value.get(), port, protocol)) {
        return None;
    }
    let is_exempt =
        |template: &Template| policy.skip && selected.iter().any(|one| std::ptr::eq(*one, template));
    let template = workloads.on_host.iter().find(|one| !is_exempt(one))?;
    let diagnostic = PAGE
        .report(format!("the metadata address `{}` is redirected for {} too", ip.value, template.shown.value))
        .at(&policy.source, ip.span, format!("for `lrpc.dev/clients: {}`", policy.annotations.clients))
        .related(&template.source, template.shown.span, "a hostNetwork pod")
        .help(
            "say `lrpc.dev/clients: pods`, which leaves host processes and hostNetwork pods alone (`apply` of this \
             version then leaves the policy out)",
        );
    Some(member.about(diagnostic))
}
