//! Diagnostics as the JSON that other programs hold on to.

use lrpc_schema::diagnostic::Label;
use serde::Serialize;

use super::{Location, Report};

/// One diagnostic; fields are null where unknown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiagnosticView<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    policy: Option<String>,
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    related: Vec<RelatedView<'a>>,
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<&'a [String]>,
    #[serde(rename = "node_count", skip_serializing_if = "Option::is_none")]
    node_count: Option<usize>,
}

#[derive(Serialize)]
struct RelatedView<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
}

/// The diagnostics in the order given.
pub(crate) fn views(reports: &[Report]) -> Vec<DiagnosticView<'_>> {
    reports.iter().map(view).collect()
}

fn view(report: &Report) -> DiagnosticView<'_> {
    let place = report.primary.as_ref().map(|label| &label.at.place);
    DiagnosticView {
        code: report.code.as_str(),
        severity: report.severity.as_str(),
        message: &report.message,
        policy: report.policy.as_ref().map(ToString::to_string),
        file: place.map(|place| &*place.file),
        line: place.map(|place| place.line),
        column: place.map(|place| place.column),
        end_line: place.map(|place| place.end_line),
        end_column: place.map(|place| place.end_column),
        related: report.related.iter().map(related).collect(),
        help: report.help.as_deref(),
        nodes: report.nodes.as_ref().map(|nodes| nodes.names.as_slice()),
        node_count: report.nodes.as_ref().map(|nodes| nodes.count),
    }
}

fn related(label: &Label<Location>) -> RelatedView<'_> {
    let Label { at: Location { place, .. }, message } = label;
    RelatedView { file: &place.file, line: place.line, column: place.column, message }
}
