//! L1: in a cluster the later one would replace the other.

use super::Set;
use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::Policy;

pub(crate) const PAGE: Page = page!("duplicate-policy", Error, "two policies have one namespace and name");

/// Also says which policies are the second of their name, so that no other rule compares them with the first.
pub(crate) fn check(set: &Set<'_>, out: &mut Vec<Diagnostic>) -> Vec<bool> {
    let default = set.options.default_namespace.as_deref();
    let mut named: Vec<_> = set
        .policies
        .iter()
        .enumerate()
        .filter_map(|(index, policy)| Some((policy.policy_name(default)?, index)))
        .collect();
    named.sort_unstable();
    let mut is_double = vec![false; set.policies.len()];
    for group in named.chunk_by(|(a, _), (b, _)| a == b) {
        let Some(((name, first), rest)) = group.split_first() else { continue };
        let Some(first) = set.policies.get(*first) else { continue };
        for (_, again) in rest {
            if let (Some(policy), Some(double)) = (set.policies.get(*again), is_double.get_mut(*again)) {
                *double = true;
                out.push(report(&name.to_string(), first, policy));
            }
        }
    }
    is_double
}

fn report(name: &str, first: &Policy, again: &Policy) -> Diagnostic {
    PAGE.report(format!("the policy `{name}` is written twice"))
        .at(&again.source, again.at, "written again here")
        .related(&first.source, first.at, "first written here")
        .help("remove one of the two, or give it another name")
}
