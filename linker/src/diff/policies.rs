//! Two images: which policies are not the same, and what that means for each frontend.
//!
//! A policy that is the same on both sides owns the same frontends on both (L1), so only the others are
//! looked at frontend by frontend. That keeps the comparison of two large images as cheap as walking their
//! policies once.

use lrpc_schema::image::{Fallback, Image, Policy};

use super::breaking::Breaking;
use super::field::{Delta, deltas};
use super::frontend::{Change, FrontendName};
use super::immutable::Immutable;
use super::join::join;

/// What tells the policies of two images apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyDiff<'a> {
    /// Policies of the new image alone, sorted by name.
    pub added: Vec<&'a Policy>,
    /// Policies of the old image alone, sorted by name.
    pub removed: Vec<&'a Policy>,
    /// Policies that are in both and not the same, sorted by name.
    pub changed: Vec<PolicyChange<'a>>,
    /// Frontends that come, go, or are treated differently, sorted.
    pub frontends: Vec<FrontendChange<'a>>,
}

/// One policy that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChange<'a> {
    /// As it was.
    pub old: &'a Policy,
    /// As it is.
    pub new: &'a Policy,
    /// What the API server would refuse to change on the object (L12).
    pub immutable: Vec<Immutable>,
}

/// One frontend that is not treated the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontendChange<'a> {
    /// The frontend.
    pub frontend: FrontendName<'a>,
    /// What became of it.
    pub change: Change,
    /// The policy that owned it.
    pub old: Option<&'a Policy>,
    /// The policy that owns it.
    pub new: Option<&'a Policy>,
    /// What is different where it is on both sides.
    pub deltas: Vec<Delta>,
    /// What breaks, sorted, each once.
    pub breaking: Vec<Breaking>,
}

/// Compares the policies of two images.
pub fn policies<'a>(old: &'a Image, new: &'a Image) -> PolicyDiff<'a> {
    let mut diff = PolicyDiff::default();
    if old.digest() == new.digest() {
        return diff;
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (old, new) in join(old.policies(), new.policies(), |one, other| one.name.cmp(&other.name)) {
        match (old, new) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => {
                diff.changed.push(PolicyChange { old, new, immutable: Immutable::changed(old, new) });
            }
            (Some(old), None) => diff.removed.push(old),
            (None, Some(new)) => diff.added.push(new),
            (None, None) => {}
        }
        before.extend(old.into_iter().flat_map(owned));
        after.extend(new.into_iter().flat_map(owned));
    }
    sort(&mut before);
    sort(&mut after);
    diff.frontends = join(&before, &after, |one, other| one.0.cmp(&other.0))
        .filter_map(|(old, new)| compare(old.copied(), new.copied(), &before, &after))
        .collect();
    diff
}

type Owned<'a> = (FrontendName<'a>, &'a Policy);

fn owned(policy: &Policy) -> impl Iterator<Item = Owned<'_>> {
    FrontendName::all(policy).into_iter().map(move |frontend| (frontend, policy))
}

/// The compiler lets no two policies have one frontend (L1); of an image that did not come from it the first
/// one counts, as in a link.
fn sort(owners: &mut Vec<Owned<'_>>) {
    owners.sort_by_key(|(frontend, _)| *frontend);
    owners.dedup_by_key(|(frontend, _)| *frontend);
}

fn compare<'a>(
    old: Option<Owned<'a>>,
    new: Option<Owned<'a>>,
    before: &[Owned<'a>],
    after: &[Owned<'a>],
) -> Option<FrontendChange<'a>> {
    let (frontend, _) = old.or(new)?;
    let (old, new) = (old.map(|(_, policy)| policy), new.map(|(_, policy)| policy));
    let change = Change::between(old, new)?;
    let found = match (old, new) {
        (Some(old), Some(new)) => deltas(frontend, old, new),
        _ => Vec::new(),
    };
    if change == Change::Changed && found.is_empty() {
        return None;
    }
    let mut breaking = match (old, new) {
        (Some(old), None) => removed(frontend, old, after),
        (None, Some(new)) => added(frontend, new, before),
        _ => found.iter().filter_map(|delta| delta.breaking).collect(),
    };
    breaking.sort_unstable();
    breaking.dedup();
    Some(FrontendChange { frontend, change, old, new, deltas: found, breaking })
}

/// What breaks with a frontend that is not listed any more: nothing, where a policy for the whole Service
/// treats it as well.
fn removed(frontend: FrontendName<'_>, old: &Policy, after: &[Owned<'_>]) -> Vec<Breaking> {
    match whole_service(frontend, after) {
        Some(heir) => deltas(frontend, old, heir).iter().filter_map(|delta| delta.breaking).collect(),
        None => vec![Breaking::FrontendRemoved],
    }
}

/// What breaks with a frontend that was not listed before: where the policy closes it without a backend,
/// connections that went through, unless a policy for the whole Service closed it already.
fn added(frontend: FrontendName<'_>, new: &Policy, before: &[Owned<'_>]) -> Vec<Breaking> {
    let closes = |policy: &Policy| policy.fallback == Fallback::Drop;
    let was_closed = whole_service(frontend, before).is_some_and(closes);
    if closes(new) && !was_closed { vec![Breaking::TrafficDropped] } else { Vec::new() }
}

/// The policy for every port of the Service that a single port belongs to.
fn whole_service<'a>(frontend: FrontendName<'_>, owners: &[Owned<'a>]) -> Option<&'a Policy> {
    let whole = frontend.whole_service()?;
    let place = owners.binary_search_by(|(frontend, _)| frontend.cmp(&whole)).ok()?;
    owners.get(place).map(|(_, policy)| *policy)
}
