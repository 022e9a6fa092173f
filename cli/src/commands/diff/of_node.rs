//! What a map set changes on this node.

use lrpc_linker::diff::{Rows, rows};
use lrpc_linker::mapset::{MapSet, ShownRow};
use lrpc_linker::profile::Profile;
use serde::Serialize;

use super::human;
use super::view::{DiffView, Titles};
use crate::output::Text;

/// The comparison of what the maps hold with what they would.
pub(crate) struct OfNode {
    view: DiffView,
}

impl OfNode {
    /// Compares the rows that the maps hold with a set.
    pub(crate) fn between(node: &str, live: Vec<ShownRow>, set: MapSet, profile: Profile) -> Self {
        let changes = rows(&Rows::Live(live), &Rows::Linked(set), profile);
        Self { view: DiffView::of(None, vec![(node.to_owned(), changes)], false) }
    }

    /// For people.
    pub(crate) fn render(&self, node: &str) -> Text {
        let titles = Titles { old: format!("what `{node}` does"), new: "what it would do".to_owned() };
        human::render(&self.view, &titles)
    }

    /// The nodes as `diff` has them, one of them at most.
    pub(crate) fn nodes(&self) -> &impl Serialize {
        &self.view.nodes
    }
}
