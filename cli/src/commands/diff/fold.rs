//! Nodes that change alike, put together: what is said once need not be read two hundred times.
//!
//! Nodes are alike where a frontend changes in the same way on them. Each has pods of its own, so that of a
//! backend only the port counts for that, and of exempt pods whether there are any.

use std::collections::BTreeMap;

use lrpc_linker::diff::Change;

use super::view::{FrontendDiff, RowDiff};
use super::words::{Line, Tone};

/// Nodes that are named.
const FEW: usize = 3;

/// Frontends that change alike on nodes that are alike.
pub(super) struct Fold<'a> {
    /// The nodes, sorted; at least one.
    pub(super) nodes: Vec<&'a str>,
    /// The frontends, sorted; at least one.
    pub(super) frontends: Vec<&'a str>,
    /// The change on the first node.
    pub(super) row: &'a RowDiff,
    /// The change of the first frontend on each node.
    pub(super) rows: Vec<(&'a str, &'a RowDiff)>,
    /// Whether the first node's pods stand for those of others.
    pub(super) stands_for_others: bool,
}

impl<'a> Fold<'a> {
    pub(super) fn breaking(&self) -> &'a [&'static str] {
        &self.row.breaking
    }

    pub(super) fn tone(&self) -> Tone {
        self.row.tone
    }

    /// The nodes in words.
    pub(super) fn place(&self, compared: &[String]) -> String {
        place(&self.nodes, compared)
    }
}

/// Neighbouring frontends that their policies treat differently in the same way: their names, and the first.
pub(super) fn frontends<'a>(all: &[&'a FrontendDiff]) -> Vec<(Vec<&'a str>, &'a FrontendDiff)> {
    let same = |one: &&FrontendDiff, other: &&FrontendDiff| {
        (one.change, &one.breaking, &one.lines) == (other.change, &other.breaking, &other.lines)
    };
    let names = |alike: &[&'a FrontendDiff]| alike.iter().map(|one| one.frontend.as_str()).collect();
    all.chunk_by(same).filter_map(|alike| Some((names(alike), *alike.first()?))).collect()
}

/// Nodes in words, of all that were compared: `node n1`, `all 200 nodes`, `198 of 200 nodes (not n7, n9)`. Few are
/// named, and so are few that are left.
pub(super) fn place(nodes: &[impl AsRef<str>], compared: &[String]) -> String {
    let total = compared.len();
    let names: Vec<&str> = nodes.iter().map(AsRef::as_ref).collect();
    if let [one] = names.as_slice() {
        return format!("node {one}");
    }
    if names.len() == total {
        return format!("all {total} nodes");
    }
    if names.len() <= FEW {
        return format!("nodes {}", names.join(", "));
    }
    let rest: Vec<&str> =
        compared.iter().map(String::as_str).filter(|name| names.binary_search(name).is_err()).collect();
    let which = if rest.len() <= FEW {
        format!("not {}", rest.join(", "))
    } else {
        format!("{}, …", names.iter().take(FEW).copied().collect::<Vec<_>>().join(", "))
    };
    format!("{} of {total} nodes ({which})", names.len())
}

/// What makes nodes alike.
type Key<'a> = (Change, &'a [&'static str], bool, Vec<(&'static str, Side<'a>, Side<'a>)>);
type Side<'a> = Option<&'a str>;

fn key(row: &RowDiff) -> Key<'_> {
    let mut lines: Vec<_> = row.lines.iter().map(alike).collect();
    lines.dedup();
    (row.change, &row.breaking, row.loses_last_backend, lines)
}

fn alike(line: &Line) -> (&'static str, Side<'_>, Side<'_>) {
    match &line.alike {
        None => (line.label, line.old.as_deref(), line.new.as_deref()),
        Some(alike) => {
            let alike = Some(alike.as_str());
            (line.label, alike.filter(|_| line.old.is_some()), alike.filter(|_| line.new.is_some()))
        }
    }
}

/// A frontend that changes alike on several nodes: each node with its row.
type Alike<'a> = (&'a str, Vec<(&'a str, &'a RowDiff)>);

/// The folds of one policy's changes on nodes, in the order of their first nodes; what breaks comes first.
pub(super) fn folds<'a>(nodes: Vec<(&'a str, Vec<&'a RowDiff>)>) -> Vec<Fold<'a>> {
    let mut by_frontend: BTreeMap<(&str, Key<'_>), Vec<(&str, &RowDiff)>> = BTreeMap::new();
    for (node, rows) in nodes {
        for row in rows {
            by_frontend.entry((&row.frontend, key(row))).or_default().push((node, row));
        }
    }
    let mut alike: BTreeMap<(Vec<&str>, Key<'_>), Vec<Alike<'_>>> = BTreeMap::new();
    for ((frontend, key), rows) in by_frontend {
        let nodes = rows.iter().map(|(node, _)| *node).collect();
        alike.entry((nodes, key)).or_default().push((frontend, rows));
    }
    let mut folds: Vec<_> = alike.into_iter().filter_map(|((nodes, _), rows)| fold(nodes, &rows)).collect();
    folds.sort_by_key(|fold| fold.breaking().is_empty());
    folds
}

fn fold<'a>(nodes: Vec<&'a str>, alike: &[Alike<'a>]) -> Option<Fold<'a>> {
    let (_, rows) = alike.first()?;
    let (_, row) = rows.first()?;
    let mut all = alike.iter().flat_map(|(_, rows)| rows);
    Some(Fold {
        nodes,
        frontends: alike.iter().map(|(frontend, _)| *frontend).collect(),
        row,
        rows: rows.clone(),
        stands_for_others: all.any(|(_, other)| other.lines != row.lines),
    })
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn few_nodes_are_named_and_few_that_are_left() {
        let all: Vec<String> = (1..=9).map(|number| format!("n{number}")).collect();
        let of = |range: std::ops::RangeInclusive<usize>| {
            place(&range.map(|number| format!("n{number}")).collect::<Vec<_>>(), &all)
        };
        assert_eq!(of(2..=2), "node n2");
        assert_eq!(of(1..=9), "all 9 nodes");
        assert_eq!(of(1..=3), "nodes n1, n2, n3");
        assert_eq!(of(1..=4), "4 of 9 nodes (n1, n2, n3, …)");
        assert_eq!(of(3..=8), "6 of 9 nodes (not n1, n2, n9)");
    }
}
