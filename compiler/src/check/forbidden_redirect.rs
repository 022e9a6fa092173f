//! L19: `[namespaces.NAME]` says which matchers, addresses and Services the policies of a namespace may name.

use super::{Member, Set};
use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::{Frontend, Policy};
use crate::options::{MatcherKind, NamespaceRule};
use crate::source::Span;

pub(crate) const PAGE: Page = page!("forbidden-redirect", Error, since "0.1.0", "a policy that `lrpc.toml` does not let its namespace have");

pub(crate) fn check(set: &Set<'_>, out: &mut Vec<Diagnostic>) {
    for member in &set.members {
        let Member { policy, name: Some(name) } = member else { continue };
        let Some((table, rule)) = set.options.namespace_rule(&name.namespace) else { continue };
        if let Some((message, span, key)) = violation(policy, rule, &name.namespace) {
            let diagnostic = PAGE
                .report(message)
                .at(&policy.source, span, "not allowed in this namespace")
                .help(format!("`lrpc.toml` forbids it: see `{key}` in `[namespaces.{table}]`"));
            out.push(member.about(diagnostic));
        }
    }
}

fn violation(policy: &Policy, rule: &NamespaceRule, namespace: &str) -> Option<(String, Span, &'static str)> {
    let may = |kind| rule.matchers.as_ref().is_none_or(|kinds| kinds.contains(&kind));
    match policy.frontend.as_ref()? {
        Frontend::Address { ip, .. } => {
            let ip = ip.as_ref()?;
            if !may(MatcherKind::Address) {
                return Some((
                    format!("policies of `{namespace}` may not redirect addresses"),
                    ip.span,
                    "matchers",
                ));
            }
            let is_listed = rule
                .addresses
                .as_ref()
                .is_none_or(|nets| nets.iter().any(|net| net.contains(&ip.value.get())));
            (!is_listed).then(|| {
                (format!("policies of `{namespace}` may not redirect `{}`", ip.value), ip.span, "addresses")
            })
        }
        Frontend::Service { name, .. } => {
            let name = name.as_ref()?;
            if !may(MatcherKind::Service) {
                return Some((
                    format!("policies of `{namespace}` may not redirect Services"),
                    name.span,
                    "matchers",
                ));
            }
            let is_listed = rule.services.as_ref().is_none_or(|services| services.contains(&name.value));
            (!is_listed).then(|| {
                (
                    format!("policies of `{namespace}` may not redirect the Service `{}`", name.value),
                    name.span,
                    "services",
                )
            })
        }
    }
}
