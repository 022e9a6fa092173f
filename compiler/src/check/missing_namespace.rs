//! L13: a manifest without `metadata.namespace` takes the one of `--namespace`.

use super::{Member, Set};
use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::Namespace;

pub(crate) const PAGE: Page = page!("missing-namespace", Error, since "0.1.0", "a policy has no namespace");

pub(crate) fn check(set: &Set<'_>, out: &mut Vec<Diagnostic>) {
    if set.options.default_namespace.is_some() {
        return;
    }
    let absent = set.members.iter().filter(|member| matches!(member.policy.namespace, Namespace::Absent));
    for Member { policy, .. } in absent {
        let diagnostic = match &policy.name {
            Some(name) => PAGE.report(format!("the policy `{}` has no namespace", name.value)),
            None => PAGE.report("a policy has no namespace"),
        };
        out.push(
            diagnostic
                .at(&policy.source, policy.at, "in which namespace?")
                .help("add `metadata.namespace`, or name one with `--namespace`"),
        );
    }
}
