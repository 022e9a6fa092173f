//! Diagnostics on their way to the reader: one shape for what the compiler finds in text and what the loader
//! finds between an image and a node, and a renderer for each format.
//!
//! Nothing is judged here.

pub(crate) mod checkout;
pub(crate) mod concise;
pub(crate) mod diagnostic;
#[cfg(test)]
mod example;
pub(crate) mod finding;
mod fingerprint;
pub(crate) mod gap;
pub(crate) mod github;
pub(crate) mod gitlab;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod pages;
pub(crate) mod problem;
mod quote;
pub(crate) mod sarif;

use std::fmt;

use lrpc_schema::image::Place;

use crate::exit::ExitStatus;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Something that works, but hardly as meant.
    Warning,
    /// Something that is wrong.
    Error,
}

impl Severity {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A place in a manifest, with the text around it where that was read in this run.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) place: Place,
    /// What the reader is to see there.
    pub(crate) label: String,
    /// The text there; a finding out of an image has none.
    pub(crate) quote: Option<quote::Quote>,
}

/// One diagnostic.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    /// `NAMESPACE/NAME`.
    pub(crate) policy: Option<String>,
    pub(crate) at: Option<Location>,
    pub(crate) related: Vec<Location>,
    pub(crate) help: Option<String>,
    /// The nodes on which it was found; `None` where none or only one was asked for.
    pub(crate) nodes: Option<Nodes>,
}

/// The nodes on which a finding holds.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    /// The first of them.
    pub(crate) names: Vec<String>,
    /// How many they are.
    pub(crate) count: usize,
}

/// `n1, n2 and 3 more`.
impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))?;
        match self.count.saturating_sub(self.names.len()) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl Report {
    /// The headline, and below it the nodes and the help, for formats that have one field for all of them.
    pub(crate) fn prose(&self) -> String {
        let mut text = self.message.clone();
        if let Some(nodes) = &self.nodes {
            text += &format!("\non {nodes}");
        }
        if let Some(help) = &self.help {
            text += &format!("\nhelp: {help}");
        }
        text
    }
}

/// How many errors and warnings there are, as the last line says it.
pub(crate) fn summary<'a>(reports: impl IntoIterator<Item = &'a Report>) -> String {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        reports.into_iter().partition(|report| report.severity == Severity::Error);
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", plural(errors.len(), "error"), plural(warnings.len(), "warning"))
}

/// How a command with these findings ends.
pub(crate) fn status(reports: &[Report], deny_warnings: bool) -> ExitStatus {
    let counts = |report: &Report| deny_warnings || report.severity == Severity::Error;
    if reports.iter().any(counts) { ExitStatus::Findings } else { ExitStatus::Done }
}
