//! A comparison in the shape that scripts hold on to, which may grow: `breaking`, `immutable`,
//! `allowed_addresses`, `existing`, a node's `without_backend`, and `abridged` of a policy with many ports are additions to it.

use lrpc_linker::diff::{Breaking, Change, Immutable, PolicyDiff, RowChange};
use lrpc_linker::mapset::ShownRow;
use lrpc_schema::image::{Image, Policy};
use serde::{Serialize, Serializer};

use super::words::{self, Line, Tone};
use crate::commands::policy::PolicyView;
use crate::commands::row;

/// What the sides are called.
pub(super) struct Titles {
    pub(super) old: String,
    pub(super) new: String,
}

/// A comparison.
#[derive(Serialize)]
pub(super) struct DiffView {
    /// Nothing is different, breaking or not.
    pub(super) same: bool,
    /// Something that is different breaks.
    pub(super) breaking: bool,
    /// Names of policies; null where a side's policies are not known.
    pub(super) policies: Option<PoliciesView>,
    /// L14's lists, where they are not the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allowed_addresses: Option<AllowedView>,
    /// What the API server would refuse (L12).
    pub(super) immutable: Vec<ImmutableView>,
    pub(super) frontends: Vec<FrontendDiff>,
    pub(super) nodes: Vec<NodeDiff>,
    /// The connections that the change concerns, where a side is what this node does (L10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) existing: Option<ExistingView>,
    /// Differences that are not shown because they do not break.
    #[serde(skip)]
    pub(super) not_shown: usize,
    /// The nodes that were compared, sorted.
    #[serde(skip)]
    pub(super) compared: Vec<String>,
}

#[derive(Default, Serialize)]
pub(super) struct PoliciesView {
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct AllowedView {
    old: Option<Vec<String>>,
    new: Option<Vec<String>>,
}

/// Connections that exist on this node.
#[derive(Default, Serialize)]
pub(super) struct ExistingView {
    pub(super) concerned: u64,
    /// Why some could not be looked at.
    pub(super) troubles: Vec<String>,
}

impl ExistingView {
    /// What there is to say, if any is concerned.
    pub(super) fn words(&self) -> Option<String> {
        match self.concerned {
            0 => None,
            1 => Some("1 existing connection of this node is concerned".to_owned()),
            more => Some(format!("{more} existing connections of this node are concerned")),
        }
    }
}

/// Immutable fields in which two versions of a policy differ.
#[derive(Serialize)]
pub(super) struct ImmutableView {
    pub(super) policy: String,
    pub(super) fields: Vec<&'static str>,
}

/// A frontend that its policies treat differently.
#[derive(Serialize)]
pub(super) struct FrontendDiff {
    pub(super) frontend: String,
    #[serde(serialize_with = "change")]
    pub(super) change: Change,
    pub(super) breaking: Vec<&'static str>,
    pub(super) old: Option<PolicyView>,
    pub(super) new: Option<PolicyView>,
    #[serde(skip)]
    pub(super) tone: Tone,
    #[serde(skip)]
    pub(super) lines: Vec<Line>,
}

/// A node that does something else.
#[derive(Serialize)]
pub(super) struct NodeDiff {
    pub(super) node: String,
    pub(super) frontends: Vec<RowDiff>,
    /// Frontends that a policy still speaks of and for which the node has lost its last backend.
    pub(super) without_backend: Vec<String>,
}

/// A frontend that a node treats differently.
#[derive(Serialize)]
pub(super) struct RowDiff {
    pub(super) frontend: String,
    #[serde(serialize_with = "change")]
    pub(super) change: Change,
    pub(super) breaking: Vec<&'static str>,
    pub(super) old: Option<ShownRow>,
    pub(super) new: Option<ShownRow>,
    #[serde(skip)]
    pub(super) loses_last_backend: bool,
    #[serde(skip)]
    pub(super) tone: Tone,
    #[serde(skip)]
    pub(super) lines: Vec<Line>,
}

/// Two images with what tells them apart.
pub(super) type Compared<'a> = (&'a Image, &'a Image, PolicyDiff<'a>);

impl DiffView {
    /// The view of two images with what tells them apart, where both are known, and of the rows of every node that
    /// was compared.
    /// With `only_breaking`, frontends that do not break are counted and left out.
    pub(super) fn of(
        images: Option<&Compared<'_>>,
        nodes: Vec<(String, Vec<RowChange>)>,
        only_breaking: bool,
    ) -> Self {
        let compared = nodes.iter().map(|(node, _)| node.clone()).collect();
        let nodes: Vec<_> = nodes.into_iter().filter(|(_, changes)| !changes.is_empty()).collect();
        let mut view = Self {
            same: nodes.is_empty(),
            breaking: false,
            policies: None,
            allowed_addresses: None,
            immutable: Vec::new(),
            frontends: Vec::new(),
            nodes: nodes.into_iter().map(NodeDiff::of).collect(),
            existing: None,
            not_shown: 0,
            compared,
        };
        if let Some((old, new, diff)) = images {
            view.add_policies(old, new, diff);
        }
        let rows = || view.nodes.iter().flat_map(|node| &node.frontends);
        view.breaking = view.frontends.iter().any(|frontend| !frontend.breaking.is_empty())
            || rows().any(|row| !row.breaking.is_empty());
        if only_breaking {
            view.keep_breaking();
        }
        view
    }

    fn add_policies(&mut self, old: &Image, new: &Image, diff: &PolicyDiff<'_>) {
        let names = |policies: &[&Policy]| policies.iter().map(|policy| policy.name.to_string()).collect();
        self.policies = Some(PoliciesView {
            added: names(&diff.added),
            removed: names(&diff.removed),
            changed: diff.changed.iter().map(|change| change.new.name.to_string()).collect(),
        });
        if old.allowed_addresses() != new.allowed_addresses() {
            let list = |image: &Image| {
                let list = image.allowed_addresses()?;
                Some(list.iter().map(ToString::to_string).collect())
            };
            self.allowed_addresses = Some(AllowedView { old: list(old), new: list(new) });
        }
        let refused = diff.changed.iter().filter(|change| !change.immutable.is_empty());
        self.immutable = refused
            .map(|change| ImmutableView {
                policy: change.new.name.to_string(),
                fields: change.immutable.iter().copied().map(Immutable::as_str).collect(),
            })
            .collect();
        let frontends = diff.frontends.iter().map(|change| FrontendDiff {
            frontend: change.frontend.to_string(),
            change: change.change,
            breaking: codes(&change.breaking),
            old: change
                .old
                .map(|policy| PolicyView::of_frontend(policy, old, change.old_port, &change.old_ports)),
            new: change
                .new
                .map(|policy| PolicyView::of_frontend(policy, new, change.new_port, &change.new_ports)),
            tone: Tone::of(!change.breaking.is_empty(), change.change),
            lines: words::of_frontend(change),
        });
        self.frontends = frontends.collect();
        self.same &= old.digest() == new.digest();
    }

    fn keep_breaking(&mut self) {
        let mut not_shown = 0;
        let mut breaks = |breaking: &[&str]| {
            not_shown += usize::from(breaking.is_empty());
            !breaking.is_empty()
        };
        self.frontends.retain(|frontend| breaks(&frontend.breaking));
        for node in &mut self.nodes {
            node.frontends.retain(|row| breaks(&row.breaking));
        }
        self.nodes.retain(|node| !node.frontends.is_empty());
        self.not_shown = not_shown;
    }
}

impl AllowedView {
    /// Both lists in words.
    pub(super) fn words(&self) -> (String, String) {
        let words = |list: &Option<Vec<String>>| match list.as_deref() {
            None => "every address".to_owned(),
            Some([]) => "none".to_owned(),
            Some(list) => list.join(", "),
        };
        (words(&self.old), words(&self.new))
    }
}

impl NodeDiff {
    fn of((node, changes): (String, Vec<RowChange>)) -> Self {
        let frontends: Vec<_> = changes.into_iter().map(RowDiff::of).collect();
        let lost = frontends.iter().filter(|row| row.loses_last_backend);
        let without_backend = lost.map(|row| row.frontend.clone()).collect();
        Self { node, frontends, without_backend }
    }
}

impl RowDiff {
    fn of(change: RowChange) -> Self {
        Self {
            frontend: change.row().map(row::frontend).unwrap_or_default(),
            change: change.change,
            breaking: codes(&change.breaking),
            loses_last_backend: change.loses_last_backend(),
            tone: Tone::of_row(&change),
            lines: words::of_row(&change),
            old: change.old,
            new: change.new,
        }
    }

    /// The policy that owns the frontend, where it is known.
    pub(super) fn policy(&self) -> Option<&str> {
        let row = self.new.as_ref().or(self.old.as_ref())?;
        row.policy.as_deref()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn change<S: Serializer>(change: &Change, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(change.as_str())
}

fn codes(breaking: &[Breaking]) -> Vec<&'static str> {
    breaking.iter().copied().map(Breaking::as_str).collect()
}
