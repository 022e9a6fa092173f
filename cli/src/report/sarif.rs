//! SARIF 2.1.0, the format of code scanning: the rules that were broken, each with its page, and a result for
//! each diagnostic.

use std::collections::BTreeSet;

use lrpc_schema::diagnostic::{Code, Label, Page};
use lrpc_schema::image::Place;
use serde_json::{Value, json};

use super::checkout::Checkout;
use super::{Location, Report, fingerprint, prose_here};
use crate::manual::diagnostics;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Names our fingerprint among those of others; its number changes with what goes into it.
const FINGERPRINT: &str = "lrpc/v1";

pub(crate) fn log(reports: &[Report], checkout: &Checkout) -> Value {
    let broken: BTreeSet<Code> = reports.iter().map(|report| report.code).collect();
    let rules: Vec<Page> =
        diagnostics::all().into_iter().filter(|page| broken.contains(&page.code)).collect();
    let fingerprints = fingerprint::of_all(reports, checkout);
    let results: Vec<Value> = reports
        .iter()
        .zip(fingerprints)
        .map(|(report, fingerprint)| result(report, &fingerprint, &rules, checkout))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "lrpc",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(rule).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(page: &Page) -> Value {
    let pointer = format!("{}; `lrpc explain {}` prints the page", page.summary, page.code);
    json!({
        "id": page.code.as_str(),
        "shortDescription": { "text": page.summary },
        "help": { "text": pointer, "markdown": page.page },
        "defaultConfiguration": { "level": page.severity.as_str() },
    })
}

fn result(report: &Report, fingerprint: &str, rules: &[Page], checkout: &Checkout) -> Value {
    let related: Vec<Value> =
        report.related.iter().zip(1_u32..).map(|(at, id)| related(at, id, checkout)).collect();
    let locations: Vec<Value> =
        report.primary.iter().map(|label| location(&label.at.place, checkout)).collect();
    let mut result = json!({
        "ruleId": report.code.as_str(),
        "level": report.severity.as_str(),
        "message": { "text": prose_here(report) },
        "locations": locations,
        "relatedLocations": related,
        "partialFingerprints": { FINGERPRINT: fingerprint },
        "properties": { "policy": report.policy.as_ref().map(ToString::to_string) },
    });
    let rule = rules.iter().position(|page| page.code == report.code);
    if let (Some(rule), Some(fields)) = (rule, result.as_object_mut()) {
        fields.insert("ruleIndex".to_owned(), rule.into());
    }
    result
}

fn related(label: &Label<Location>, id: u32, checkout: &Checkout) -> Value {
    let mut location = location(&label.at.place, checkout);
    if let Some(fields) = location.as_object_mut() {
        fields.insert("id".to_owned(), id.into());
        fields.insert("message".to_owned(), json!({ "text": label.message }));
    }
    location
}

fn location(place: &Place, checkout: &Checkout) -> Value {
    let artifact = artifact(&checkout.path(&place.file));
    json!({ "physicalLocation": {
        "artifactLocation": artifact,
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    } })
}

fn artifact(path: &str) -> Value {
    if path.starts_with('/') {
        return json!({ "uri": format!("file://{}", uri(path)) });
    }
    json!({ "uri": uri(path), "uriBaseId": "%SRCROOT%" })
}

/// A path as a URI writes it: everything but letters, digits, `-._~` and `/` by its bytes.
fn uri(path: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    path.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(artifact("a b/ü#1.yaml")["uri"], "a%20b/%C3%BC%231.yaml");
        assert_eq!(artifact("/etc/a.yaml"), json!({ "uri": "file:///etc/a.yaml" }));
    }
}
