//! L1: in a cluster the later one would replace the other.

use super::{Member, Set};
use crate::clusters;
use crate::diagnostic::{Diagnostic, Page, page};

pub(crate) const PAGE: Page =
    page!("duplicate-policy", Error, since "0.1.0", "two policies have one namespace and name");

/// Also says which policies are the second of their name, so that no other rule compares them with the first.
pub(crate) fn check(set: &Set<'_>, out: &mut Vec<Diagnostic>) -> Vec<bool> {
    let mut named: Vec<_> =
        set.members.iter().enumerate().filter(|(_, member)| member.name.is_some()).collect();
    named.sort_by_key(|(index, member)| (&member.name, *index));
    let mut is_double = vec![false; set.members.len()];
    for group in named.chunk_by(|(_, a), (_, b)| a.name == b.name) {
        let Some(((_, first), rest)) = group.split_first() else { continue };
        for (index, again) in rest {
            if let Some(is_double) = is_double.get_mut(*index) {
                *is_double = true;
            }
            out.extend(report(first, again));
        }
    }
    is_double
}

fn report(first: &Member<'_>, again: &Member<'_>) -> Option<Diagnostic> {
    let name = again.name.as_ref()?;
    let diagnostic = PAGE
        .report(format!("the policy `{name}` is written twice"))
        .at(&again.policy.source, again.policy.at, "written again here")
        .related(&first.policy.source, first.policy.at, "first written here")
        .help(format!(
            "remove one of the two, or give it another name{}",
            clusters::apart(&first.policy.source, &again.policy.source)
        ));
    Some(again.about(diagnostic))
}
