//! What the compiler says, as reports.

use lrpc_compiler::{Diagnostic, Label};
use lrpc_schema::image::Place;

use super::quote::Quote;
use super::{Location, Report, Severity};

pub(crate) fn report(diagnostic: &Diagnostic) -> Report {
    Report {
        code: diagnostic.code,
        severity: match diagnostic.severity {
            lrpc_compiler::Severity::Error => Severity::Error,
            lrpc_compiler::Severity::Warning => Severity::Warning,
        },
        message: diagnostic.message.clone(),
        policy: diagnostic.policy.as_ref().map(ToString::to_string),
        at: diagnostic.primary.as_ref().map(location),
        related: diagnostic.related.iter().map(location).collect(),
        help: diagnostic.help.clone(),
        nodes: None,
    }
}

fn location(label: &Label) -> Location {
    let Label { source, span, message } = label;
    let (start, end) = (source.position(span.start), source.position(span.end));
    Location {
        place: Place {
            file: source.name().clone(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        },
        label: message.clone(),
        quote: Some(Quote { source: source.clone(), span: span.clone() }),
    }
}
