//! A diagnostic for the tests of the formats.

use lrpc_compiler::Source;
use lrpc_schema::image::Place;

use super::quote::Quote;
use super::{Location, Report, Severity};

/// An error about the first `quoted` in `text`.
pub(crate) fn report(file: &str, text: &str, quoted: &str) -> Report {
    Report {
        code: "port-zero",
        severity: Severity::Error,
        message: "port 0 cannot be redirected".to_owned(),
        policy: Some("default/kiam".to_owned()),
        at: Some(location(&Source::new(file, text), quoted, "")),
        related: Vec::new(),
        help: None,
        nodes: None,
    }
}

/// The place of the first `quoted` in a source.
pub(crate) fn location(source: &Source, quoted: &str, label: &str) -> Location {
    let start = source.text().find(quoted).unwrap();
    let span = start..start + quoted.len();
    let (from, to) = (source.position(span.start), source.position(span.end));
    Location {
        place: Place {
            file: source.name().clone(),
            line: from.line,
            column: from.column,
            end_line: to.line,
            end_column: to.column,
        },
        label: label.to_owned(),
        quote: Some(Quote { source: source.clone(), span }),
    }
}
