//! Joins the findings of `link`, which know policies and field paths, with the places in the manifests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use lrpc_compiler::Source;
use lrpc_loader::Finding;
use lrpc_loader::findings::NodeFinding;
use lrpc_schema::image::{Place, Places, PolicyName};

use super::human::Quote;
use super::{Location, Nodes, Report, Severity};

/// The manifests that were read in this run, by name.
pub(crate) type Sources = BTreeMap<Arc<str>, Source>;

/// The report of a finding about one node, out of an image: with the places that the image remembers, and
/// in a stripped image with the policy alone.
pub(crate) fn report(finding: &Finding, places: Option<&Places>) -> Report {
    joined(finding, places, &Sources::new())
}

/// The report of a finding that holds on some nodes, with the text around its places.
pub(crate) fn across(found: &NodeFinding, places: Option<&Places>, sources: &Sources) -> Report {
    let nodes = Nodes { names: found.nodes.clone(), count: found.node_count };
    Report { nodes: Some(nodes), ..joined(&found.finding, places, sources) }
}

fn joined(finding: &Finding, places: Option<&Places>, sources: &Sources) -> Report {
    let location = |policy: &PolicyName, field: &str, label: &str| {
        let place = places?.find(policy, field)?.clone();
        let quote = sources.get(&place.file).map(|source| quote(source, &place));
        Some(Location { place, label: label.to_owned(), quote })
    };
    Report {
        code: finding.code,
        severity: match finding.severity {
            lrpc_loader::Severity::Error => Severity::Error,
            lrpc_loader::Severity::Warning => Severity::Warning,
        },
        message: finding.message.clone(),
        policy: Some(finding.policy.to_string()),
        at: location(&finding.policy, &finding.field, ""),
        related: finding
            .related
            .iter()
            .filter_map(|related| location(&related.policy, &related.field, &related.message))
            .collect(),
        help: finding.help.clone(),
        nodes: None,
    }
}

/// The text of a place: lines and columns back to bytes.
fn quote(source: &Source, place: &Place) -> Quote {
    let span = offset(source, place.line, place.column)..offset(source, place.end_line, place.end_column);
    Quote { source: source.clone(), span }
}

fn offset(source: &Source, line: u32, column: u32) -> usize {
    let Range { start, end } = source.line_range(line);
    let text = source.text().get(start..end).unwrap_or_default();
    let before = text.char_indices().nth(column.saturating_sub(1) as usize);
    before.map_or(end, |(at, _)| start + at)
}
