//! The changes as readers want them: by policy, and below it by node.

use std::collections::{BTreeMap, BTreeSet};

use lrpc_linker::diff::Change;

use super::fold::{self, Fold};
use super::view::{DiffView, FrontendDiff, RowDiff};
use crate::output::counted;

/// Everything that changes with one policy.
pub(super) struct Group<'a> {
    /// Its name; `None` for rows whose names are lost.
    pub(super) policy: Option<&'a str>,
    /// What became of it; `None` where it is the same and only nodes differ.
    pub(super) change: Option<Change>,
    /// Where it is written, in the newer side that has it.
    pub(super) at: Option<&'a str>,
    /// The fields that the API server would refuse to change (L12).
    pub(super) immutable: &'a [&'static str],
    pub(super) frontends: Vec<&'a FrontendDiff>,
    /// What changes on nodes, alike nodes together.
    pub(super) folds: Vec<Fold<'a>>,
}

impl Group<'_> {
    /// Something of it breaks.
    pub(super) fn breaks(&self) -> bool {
        self.frontends.iter().any(|frontend| !frontend.breaking.is_empty())
            || self.folds.iter().any(|fold| !fold.breaking().is_empty())
    }

    /// Its definition is another, and nothing that it catches feels that.
    pub(super) fn is_quiet(&self) -> bool {
        self.frontends.is_empty() && self.folds.is_empty()
    }

    /// What the API server says to the change on the same object.
    pub(super) fn refusal(&self) -> Option<String> {
        let (fields, verb) = match self.immutable {
            [] => return None,
            [one] => ((*one).to_owned(), "is"),
            several => (several.join(", "), "are"),
        };
        Some(format!(
            "the API server refuses this change on the same object: {fields} {verb} immutable; delete the \
             object and make it anew (lrpc itself swaps without a gap)"
        ))
    }
}

/// The groups: those that break first, then sorted by policy; rows without a name last.
pub(super) fn groups(view: &DiffView) -> Vec<Group<'_>> {
    let mut frontends: BTreeMap<Option<&str>, Vec<&FrontendDiff>> = BTreeMap::new();
    for frontend in &view.frontends {
        let policy = frontend.new.as_ref().or(frontend.old.as_ref()).map(|policy| policy.policy.as_str());
        frontends.entry(policy).or_default().push(frontend);
    }
    let mut nodes: BTreeMap<Option<&str>, Vec<(&str, Vec<&RowDiff>)>> = BTreeMap::new();
    for node in &view.nodes {
        let mut by_policy: BTreeMap<Option<&str>, Vec<&RowDiff>> = BTreeMap::new();
        for row in &node.frontends {
            by_policy.entry(row.policy()).or_default().push(row);
        }
        for (policy, rows) in by_policy {
            nodes.entry(policy).or_default().push((&node.node, rows));
        }
    }
    let changes = changes(view);
    let immutable: BTreeMap<&str, &[&'static str]> =
        view.immutable.iter().map(|note| (note.policy.as_str(), note.fields.as_slice())).collect();
    let mut names: BTreeSet<Option<&str>> = frontends.keys().chain(nodes.keys()).copied().collect();
    if view.not_shown == 0 {
        names.extend(changes.keys().map(|name| Some(*name)));
    }
    // A name that is not known sorts first; it is the least telling.
    let unnamed = names.remove(&None).then_some(None);
    let mut groups: Vec<_> = names
        .into_iter()
        .chain(unnamed)
        .map(|policy| {
            let frontends = frontends.remove(&policy).unwrap_or_default();
            let at = frontends.iter().find_map(|frontend| {
                let policy = frontend.new.as_ref().or(frontend.old.as_ref())?;
                policy.at.as_deref()
            });
            Group {
                policy,
                change: policy.and_then(|name| changes.get(name).copied()),
                at,
                immutable: policy.and_then(|name| immutable.get(name).copied()).unwrap_or_default(),
                frontends,
                folds: fold::folds(nodes.remove(&policy).unwrap_or_default()),
            }
        })
        .collect();
    groups.sort_by_key(|group| !group.breaks());
    groups
}

fn changes(view: &DiffView) -> BTreeMap<&str, Change> {
    let Some(policies) = &view.policies else { return BTreeMap::new() };
    let kinds = [
        (Change::Added, &policies.added),
        (Change::Removed, &policies.removed),
        (Change::Changed, &policies.changed),
    ];
    kinds
        .into_iter()
        .flat_map(|(change, names)| names.iter().map(move |name| (name.as_str(), change)))
        .collect()
}

/// How much there is of everything.
pub(super) struct Counts {
    pub(super) added: usize,
    pub(super) removed: usize,
    pub(super) changed: usize,
    /// Policies of which something breaks, for every node or on one.
    pub(super) breaking: usize,
    /// Nodes on which something changes.
    pub(super) nodes: usize,
    /// Frontends that lose their last local backend, with the nodes, those of the same nodes together.
    pub(super) without_backend: Vec<(Vec<String>, Vec<String>)>,
}

impl Counts {
    pub(super) fn of(view: &DiffView, groups: &[Group<'_>]) -> Self {
        // A side that is no image has no policies; then the frontends are those of its node.
        let changes: Vec<Change> = match &view.policies {
            Some(_) => view.frontends.iter().map(|frontend| frontend.change).collect(),
            None => view.nodes.iter().flat_map(|node| &node.frontends).map(|row| row.change).collect(),
        };
        let count = |change| changes.iter().filter(|one| **one == change).count();
        Self {
            added: count(Change::Added),
            removed: count(Change::Removed),
            changed: count(Change::Changed),
            breaking: groups.iter().filter(|group| group.breaks()).count(),
            nodes: view.nodes.len(),
            without_backend: without_backend(view),
        }
    }

    /// One line that says it all.
    pub(super) fn summary(&self, compared: &[String]) -> String {
        let Self { added, removed, changed, .. } = self;
        let mut text = format!("frontends: {added} added, {removed} removed, {changed} changed; ");
        text += &match self.breaking {
            // What was not looked at may well break.
            0 if compared.is_empty() => "no policy breaks".to_owned(),
            0 => "nothing breaks".to_owned(),
            some => counted(some, "policy breaks", "policies break"),
        };
        text += &match self.nodes {
            0 if compared.is_empty() => "; no node was looked at (--inventory)".to_owned(),
            0 => "; no node changes".to_owned(),
            some => format!("; {}", counted(some, "node changes", "nodes change")),
        };
        text
    }
}

/// Every frontend that loses its last local backend, with the nodes that lose it.
fn without_backend(view: &DiffView) -> Vec<(Vec<String>, Vec<String>)> {
    let mut nodes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for node in &view.nodes {
        for frontend in &node.without_backend {
            nodes.entry(frontend).or_default().push(node.node.clone());
        }
    }
    let mut frontends: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (frontend, nodes) in nodes {
        frontends.entry(nodes).or_default().push(frontend.to_owned());
    }
    frontends.into_iter().map(|(nodes, frontends)| (frontends, nodes)).collect()
}

/// `1 difference`, `2 differences`.
pub(super) fn not_breaking(count: usize) -> String {
    format!("{} not break", counted(count, "other difference does", "other differences do"))
}
