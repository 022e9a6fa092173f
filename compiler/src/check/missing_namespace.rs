//! L13: a manifest without `metadata.namespace` takes the one of `--namespace`.

use super::{Member, Set};
use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::{Frontend, Namespace, Policy};

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
        out.push(diagnostic.at(&policy.source, policy.at, "in which namespace?").help(help(policy)));
    }
}

/// A service policy says already which namespace it has to be in (R3).
fn help(policy: &Policy) -> String {
    match &policy.frontend {
        Some(Frontend::Service { namespace: Some(namespace), .. }) => {
            let namespace = &namespace.value;
            format!(
                "add `namespace: {namespace}` to `metadata`, as the serviceMatcher has it, or pass `--namespace {namespace}`"
            )
        }
        Some(Frontend::Address { .. } | Frontend::Service { .. }) | None => {
            "add `metadata.namespace`, or name one with `--namespace`".to_owned()
        }
    }
}
