//! R3: a policy redirects Services of its own namespace only; the agent ignores any other.

use super::{Member, Set};
use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::Frontend;

pub(crate) const PAGE: Page = page!("namespace-mismatch", Error, since "0.1.0", "a service matcher names another namespace than the policy's");

pub(crate) fn check(set: &Set<'_>, out: &mut Vec<Diagnostic>) {
    for member in &set.members {
        let Member { policy, name: Some(name) } = member else { continue };
        let Some(Frontend::Service { namespace: Some(service), .. }) = &policy.frontend else { continue };
        if *name.namespace != *service.value {
            let own = &name.namespace;
            let diagnostic = PAGE
                .report(format!("a policy of `{own}` cannot redirect a Service of `{}`", service.value))
                .at(&policy.source, service.span, "another namespace")
                .related(&policy.source, policy.at, format!("the policy is in `{own}`"))
                .help(format!("write `{own}` here, or move the policy to `{}`", service.value));
            out.push(member.about(diagnostic));
        }
    }
}
