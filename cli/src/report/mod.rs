//! Diagnostics on their way to the reader: whoever made them, they are located in manifests once, and each format
//! renders them from there.
//!
//! Nothing is judged here.

#[cfg(target_os = "linux")]
pub(crate) mod brief;
pub(crate) mod checkout;
pub(crate) mod concise;
#[cfg(test)]
mod example;
mod fingerprint;
pub(crate) mod github;
pub(crate) mod gitlab;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod junit;
mod quote;
pub(crate) mod rdjson;
pub(crate) mod sarif;

use std::sync::Arc;

use lrpc_linker::Finding;
pub(crate) use lrpc_schema::diagnostic::Severity;
use lrpc_schema::diagnostic::{Diagnostic, Label, Spot};
use lrpc_schema::image::{Image, Place, Places};

use self::checkout::Checkout;
use self::quote::Quote;
use crate::exit::ExitStatus;
use crate::output::counted;

/// A place in a manifest, with the text around it where that was read in this run.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) place: Place,
    /// The text there; a finding out of an image has none.
    pub(crate) quote: Option<Quote>,
}

/// One diagnostic, as every format takes it.
pub(crate) type Report = Diagnostic<Location>;

/// What the compiler says.
pub(crate) fn of_text(diagnostic: lrpc_compiler::Diagnostic) -> Report {
    diagnostic.locate(|spot| Some(Location::from(spot)))
}

/// What comments in the manifests of an image do not allow.
pub(crate) fn not_allowed(findings: Vec<Finding>, image: &Image) -> Vec<Finding> {
    let is_allowed = |finding: &Finding| {
        let at = finding.primary.as_ref().map(|label| &label.at);
        finding.severity == Severity::Warning
            && at.is_some_and(|at| image.allows(&at.policy, &at.field.to_string(), finding.code.as_str()))
    };
    findings.into_iter().filter(|finding| !is_allowed(finding)).collect()
}

/// What a link of an image finds, at the places that the image remembers; with the policies alone where it
/// is stripped.
pub(crate) fn of_image(finding: Finding, places: Option<&Places>) -> Report {
    finding.locate(|at| {
        let place = places?.find(&at.policy, &at.field.to_string())?;
        Some(Location { place, quote: None })
    })
}

impl From<Spot> for Location {
    fn from(Spot { source, span }: Spot) -> Self {
        let (start, end) = (source.position(span.start), source.position(span.end));
        Self {
            place: Place {
                file: Arc::clone(source.name()),
                line: start.line,
                column: start.column,
                end_line: end.line,
                end_column: end.column,
            },
            quote: Some(Quote { source, span }),
        }
    }
}

/// The headline, and below it the nodes, the other places and the help, for formats that have one field for all
/// of them.
pub(crate) fn prose(report: &Report, checkout: &Checkout) -> String {
    let places = report.related.iter().map(|label| elsewhere(label, &checkout.path(&label.at.place.file)));
    paragraphs(report, places)
}

/// [`prose`] without the other places, for a format that has a field for them.
pub(crate) fn prose_here(report: &Report) -> String {
    paragraphs(report, [])
}

fn paragraphs(report: &Report, places: impl IntoIterator<Item = String>) -> String {
    let mut lines = vec![report.message.clone()];
    lines.extend(report.nodes.as_ref().map(|nodes| format!("on {nodes}")));
    lines.extend(places);
    lines.extend(report.help.as_ref().map(|help| format!("help: {help}")));
    lines.join("\n")
}

/// A related place, with its file as the format names it, in one line: `first claimed here: FILE:LINE:COLUMN`.
fn elsewhere(label: &Label<Location>, file: &str) -> String {
    let Place { line, column, .. } = label.at.place;
    let what = if label.message.is_empty() { "see also" } else { &label.message };
    format!("{what}: {file}:{line}:{column}")
}

/// How many errors and warnings there are, as the last line says it.
pub(crate) fn summary<'a>(reports: impl IntoIterator<Item = &'a Report>) -> String {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        reports.into_iter().partition(|report| report.severity == Severity::Error);
    let (errors, warnings) = (errors.len(), warnings.len());
    format!("{}, {}", counted(errors, "error", "errors"), counted(warnings, "warning", "warnings"))
}

/// How a command with these findings ends.
pub(crate) fn status<'a>(reports: impl IntoIterator<Item = &'a Report>, deny_warnings: bool) -> ExitStatus {
    let counts = |report: &Report| deny_warnings || report.severity == Severity::Error;
    if reports.into_iter().any(counts) { ExitStatus::Findings } else { ExitStatus::Done }
}
