//! R13: a policy waits for its Service without a word; beside it lies one with nearly the same name.

use super::Member;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::Spanned;
use crate::names::nearest;
use crate::workload::Workloads;

pub(crate) const PAGE: Page = page!(
    "service-name-slip",
    Warning,
    since "0.1.0",
    "the Service is not there, but one of nearly its name"
);

/// Silent where no Service is nearly called so: most Services of a cluster lie in no repository.
pub(super) fn check(
    member: &Member<'_>,
    namespace: &str,
    name: &Spanned<String>,
    workloads: &Workloads<'_>,
) -> Option<Diagnostic> {
    let policy = member.policy;
    let names =
        workloads.services_in(namespace).take(workloads.weighed).map(|service| service.name.value.as_str());
    let meant = nearest(&name.value, names)?;
    let service = workloads.services_in(namespace).find(|service| service.name.value == meant)?;
    let diagnostic = PAGE
        .report(format!("there is no Service `{namespace}/{}` beside the policy, but `{meant}`", name.value))
        .at(&policy.source, name.span, "no such Service here")
        .related(&service.source, service.name.span, "a Service of nearly that name")
        .help(format!(
            "write `serviceName: {meant}`; if the other Service lies elsewhere, say so: \
             `# lrpc: allow(service-name-slip) reason`"
        ));
    Some(member.about(diagnostic))
}
