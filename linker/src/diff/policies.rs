//! Two images: which policies are not the same, and what that means for each frontend.
//!
//! A policy that is the same on both sides owns the same frontends on both (L1), so only the others are
//! looked at frontend by frontend. That keeps the comparison of two large images as cheap as walking their
//! policies once.

use std::collections::BTreeMap;

use lrpc_schema::image::{Fallback, Image, Policy, PolicyName, PortSpec};

use super::breaking::Breaking;
use super::field::{Delta, deltas, ports};
use super::frontend::{Change, FrontendName};
use super::immutable::Immutable;
use super::join::join;
use super::served::{Ports, Served};

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
    /// Its port in the list of that policy, which may list none.
    pub old_port: Option<&'a PortSpec>,
    /// Its port in the list of this one.
    pub new_port: Option<&'a PortSpec>,
    /// The backend ports that may have served it.
    pub old_ports: Ports<'a>,
    /// The backend ports that may serve it.
    pub new_ports: Ports<'a>,
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
    let mut comparison = Comparison::new(&before, &after);
    diff.frontends = join(&before, &after, |one, other| one.0.cmp(&other.0))
        .filter_map(|(old, new)| comparison.compare(old.copied(), new.copied()))
        .collect();
    diff
}

/// A frontend, its policy, and its port in the policy's list.
type Owned<'a> = (FrontendName<'a>, &'a Policy, Option<&'a PortSpec>);

fn owned(policy: &Policy) -> impl Iterator<Item = Owned<'_>> {
    FrontendName::all(policy).into_iter().map(move |(frontend, port)| (frontend, policy, port))
}

/// The compiler lets no two policies have one frontend (L1); of an image that did not come from it the first
/// one counts, as in a link.
fn sort(owners: &mut Vec<Owned<'_>>) {
    owners.sort_by_key(|(frontend, ..)| *frontend);
    owners.dedup_by_key(|(frontend, ..)| *frontend);
}

/// Compares frontend by frontend, and whatever is the same for many of them once.
struct Comparison<'a, 'o> {
    before: &'o [Owned<'a>],
    after: &'o [Owned<'a>],
    /// What serves the frontends of each policy, on the old side and on the new one.
    served: [BTreeMap<&'a PolicyName, Served<'a>>; 2],
    pairs: BTreeMap<(&'a PolicyName, &'a PolicyName), Pair>,
}

/// Two policies that own a frontend one after the other.
struct Pair {
    /// What differs for every frontend.
    fields: Vec<Delta>,
    /// Whether ports differ, by the numbers of their lists.
    ports: BTreeMap<(usize, usize), Option<Delta>>,
}

impl<'a, 'o> Comparison<'a, 'o> {
    fn new(before: &'o [Owned<'a>], after: &'o [Owned<'a>]) -> Self {
        let served = [before, after].map(|owners| {
            let mut served = BTreeMap::new();
            for (_, policy, _) in owners {
                served.entry(&policy.name).or_insert_with(|| Served::new(policy));
            }
            served
        });
        Self { before, after, served, pairs: BTreeMap::new() }
    }

    fn compare(&mut self, old: Option<Owned<'a>>, new: Option<Owned<'a>>) -> Option<FrontendChange<'a>> {
        let (frontend, ..) = old.or(new)?;
        let port = |owned: Option<Owned<'a>>| owned.and_then(|(.., port)| port);
        let (old_port, new_port) = (port(old), port(new));
        let (old, new) = (old.map(|(_, policy, _)| policy), new.map(|(_, policy, _)| policy));
        let change = Change::between(old, new)?;
        let found = match (old, new) {
            (Some(old), Some(new)) => self.deltas(frontend, old, new),
            _ => Vec::new(),
        };
        if change == Change::Changed && found.is_empty() {
            return None;
        }
        let mut breaking = match (old, new) {
            (Some(old), None) => self.removed(frontend, old),
            (None, Some(new)) => added(frontend, new, self.before),
            _ => found.iter().filter_map(|delta| delta.breaking).collect(),
        };
        breaking.sort_unstable();
        breaking.dedup();
        let [before, after] = &self.served;
        let ports = |side: &BTreeMap<_, Served<'a>>, policy: Option<&Policy>| {
            let served = policy.and_then(|policy| side.get(&policy.name));
            served.map(|served| served.list(served.number(frontend))).unwrap_or_default()
        };
        let (old_ports, new_ports) = (ports(before, old), ports(after, new));
        Some(FrontendChange {
            frontend,
            change,
            old,
            new,
            old_port,
            new_port,
            old_ports,
            new_ports,
            deltas: found,
            breaking,
        })
    }

    /// Where two policies treat a frontend differently, in the order of the fields.
    fn deltas(&mut self, frontend: FrontendName<'_>, old: &'a Policy, new: &'a Policy) -> Vec<Delta> {
        let pair = || Pair { fields: deltas(old, new), ports: BTreeMap::new() };
        let pair = self.pairs.entry((&old.name, &new.name)).or_insert_with(pair);
        let [before, after] = &self.served;
        let ports = match (before.get(&old.name), after.get(&new.name)) {
            (Some(before), Some(after)) => {
                let numbers = (before.number(frontend), after.number(frontend));
                let compare = || ports(old, &before.list(numbers.0), new, &after.list(numbers.1));
                *pair.ports.entry(numbers).or_insert_with(compare)
            }
            _ => None,
        };
        let mut found = pair.fields.clone();
        found.extend(ports);
        found.sort_unstable();
        found
    }

    /// What breaks with a frontend that is not listed any more: nothing, where a policy for the whole Service
    /// treats it as well.
    fn removed(&mut self, frontend: FrontendName<'_>, old: &'a Policy) -> Vec<Breaking> {
        match whole_service(frontend, self.after) {
            Some(heir) => {
                self.deltas(frontend, old, heir).iter().filter_map(|delta| delta.breaking).collect()
            }
            None => vec![Breaking::FrontendRemoved],
        }
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
    let place = owners.binary_search_by(|(frontend, ..)| frontend.cmp(&whole)).ok()?;
    owners.get(place).map(|(_, policy, _)| *policy)
}
