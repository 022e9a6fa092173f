//! L6: a metadata address is redirected for hostNetwork pods too, agents of the node among them.

use std::collections::BTreeSet;

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

/// How many templates are named.
const SHOWN: usize = 3;

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
    // Those of others come first; the policy's own may be meant, and are exempt where it skips its backends.
    let own: BTreeSet<*const Template> =
        selected.iter().filter(|one| one.host_network).map(|one| std::ptr::from_ref(*one)).collect();
    let is_own = |one: &&&Template| own.contains(&std::ptr::from_ref(**one));
    let others = workloads.on_host.iter().filter(|one| !is_own(one));
    let own_count = if policy.skip { 0 } else { own.len() };
    let count = workloads.on_host.len().saturating_sub(own.len()) + own_count;
    let first: Vec<&Template> =
        others.chain(workloads.on_host.iter().filter(is_own).take(own_count)).take(SHOWN).copied().collect();
    if first.is_empty() {
        return None;
    }
    let shown: Vec<_> = first.iter().map(|template| template.shown.value.as_str()).collect();
    let more = match count.saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let diagnostic = PAGE
        .report(format!(
            "the metadata address `{}` is redirected for {}{more} too",
            ip.value,
            shown.join(", ")
        ))
        .at(&policy.source, ip.span, format!("for `lrpc.dev/clients: {}`", policy.annotations.clients))
        .help("say `lrpc.dev/clients: pods`, which leaves host processes and hostNetwork pods alone");
    let place = |diagnostic: Diagnostic, template: &&Template| {
        diagnostic.related(&template.source, template.shown.span, "a hostNetwork pod")
    };
    Some(member.about(first.iter().fold(diagnostic, place)))
}
