//! Reviewdog's `rdjson`: what a review on any code host shows as comments.

use lrpc_schema::image::Place;
use serde::Serialize;

use super::checkout::Checkout;
use super::{Location, Report, Severity, prose};

/// The whole report.
#[derive(Debug, Serialize)]
pub(crate) struct Result<'a> {
    source: Source,
    diagnostics: Vec<Diagnostic<'a>>,
}

#[derive(Debug, Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct Diagnostic<'a> {
    message: String,
    location: At,
    severity: &'static str,
    code: Code<'a>,
}

#[derive(Debug, Serialize)]
struct Code<'a> {
    value: &'a str,
}

/// A file and, where it is known, the place in it.
#[derive(Debug, Serialize)]
struct At {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

#[derive(Debug, Serialize)]
struct Range {
    start: Position,
    end: Position,
}

/// Line and column from 1; the column counts bytes, and is not given where only the characters are known.
#[derive(Debug, Serialize)]
struct Position {
    line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

pub(crate) fn result<'a>(reports: &'a [Report], checkout: &Checkout) -> Result<'a> {
    let diagnostics = reports.iter().map(|report| diagnostic(report, checkout)).collect();
    Result { source: Source { name: "lrpc" }, diagnostics }
}

fn diagnostic<'a>(report: &'a Report, checkout: &Checkout) -> Diagnostic<'a> {
    let location = report.primary.as_ref().map(|label| at(&label.at, checkout));
    Diagnostic {
        message: prose(report, checkout),
        // What is in no file is about the whole checkout.
        location: location.unwrap_or_else(|| At { path: ".".to_owned(), range: None }),
        severity: match report.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
        },
        code: Code { value: report.code.as_str() },
    }
}

fn at(Location { place, quote }: &Location, checkout: &Checkout) -> At {
    let Place { line, end_line, .. } = *place;
    let column = |line, offset| {
        let quote = quote.as_ref()?;
        Some(1 + usize::checked_sub(offset, quote.source.line_range(line).start)?)
    };
    let span = quote.as_ref().map(|quote| quote.span.clone()).unwrap_or_default();
    let range = Range {
        start: Position { line, column: column(line, span.start) },
        end: Position { line: end_line, column: column(end_line, span.end) },
    };
    At { path: checkout.path(&place.file), range: Some(range) }
}

#[cfg(test)]
mod tests {
    use lrpc_compiler::Source;
    use serde_json::json;

    use super::*;
    use crate::report::example;

    #[test]
    fn columns_count_bytes() {
        let mut report = example::report("a.yaml", "é: \"ü\" # x", "\"ü\"");
        report.related.push(example::location(&Source::new("b.yaml", "a: b"), "b", "first claimed here"));
        let found = serde_json::to_value(result(&[report], &Checkout::default())).unwrap();
        let expected = json!({
            "source": { "name": "lrpc" },
            "diagnostics": [{
                "message": "port 0 cannot be redirected\nfirst claimed here: b.yaml:1:4",
                "location": {
                    "path": "a.yaml",
                    "range": { "start": { "line": 1, "column": 5 }, "end": { "line": 1, "column": 9 } },
                },
                "severity": "ERROR",
                "code": { "value": "port-zero" },
            }],
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_nowhere_is_about_the_checkout() {
        let report = Report { primary: None, ..example::report("a.yaml", "a", "a") };
        let found = serde_json::to_value(result(&[report], &Checkout::default())).unwrap();
        assert_eq!(found["diagnostics"][0]["location"], json!({ "path": "." }));
    }
}
