//! Joins the findings of `link`, which know policies and field paths, with the places in the manifests.

use lrpc_compiler::{Label, Plan};
use lrpc_loader::Finding;
use lrpc_loader::findings::NodeFinding;
use lrpc_schema::image::{Places, PolicyName};

use super::{Location, Nodes, Report, Severity, diagnostic};

/// The report of a finding about one node, out of an image: with the places that the image remembers, and
/// in a stripped image with the policy alone.
pub(crate) fn report(finding: &Finding, places: Option<&Places>) -> Report {
    joined(finding, |policy, field, label| {
        let place = places?.find(policy, field)?.clone();
        Some(Location { place, label: label.to_owned(), quote: None })
    })
}

/// The report of a finding that holds on some nodes, with the text that the plan was made of.
pub(crate) fn across(found: &NodeFinding, plan: &Plan) -> Report {
    let report = joined(&found.finding, |policy, field, label| {
        let (source, span) = plan.find(policy, field)?;
        Some(diagnostic::location(&Label { source: source.clone(), span, message: label.to_owned() }))
    });
    Report { nodes: Some(Nodes { names: found.nodes.clone(), count: found.node_count }), ..report }
}

fn joined(finding: &Finding, locate: impl Fn(&PolicyName, &str, &str) -> Option<Location>) -> Report {
    Report {
        code: finding.code,
        severity: match finding.severity {
            lrpc_loader::Severity::Error => Severity::Error,
            lrpc_loader::Severity::Warning => Severity::Warning,
        },
        message: finding.message.clone(),
        policy: Some(finding.policy.to_string()),
        at: locate(&finding.policy, &finding.field, ""),
        related: finding
            .related
            .iter()
            .filter_map(|related| locate(&related.policy, &related.field, &related.message))
            .collect(),
        help: finding.help.clone(),
        nodes: None,
    }
}
