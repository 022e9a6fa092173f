//! GitLab's Code Quality report: what the merge request shows as new, fixed and unchanged.

use serde::Serialize;

use super::checkout::Checkout;
use super::{Report, Severity, fingerprint, prose};

/// One entry of the report.
#[derive(Debug, Serialize)]
pub(crate) struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

pub(crate) fn issues<'a>(reports: &'a [Report], checkout: &Checkout) -> Vec<Issue<'a>> {
    let fingerprints = fingerprint::of_all(reports, checkout);
    reports
        .iter()
        .zip(fingerprints)
        .map(|(report, fingerprint)| issue(report, fingerprint, checkout))
        .collect()
}

fn issue<'a>(report: &'a Report, fingerprint: String, checkout: &Checkout) -> Issue<'a> {
    let place = report.primary.as_ref().map(|label| &label.at.place);
    Issue {
        description: prose(report, checkout),
        check_name: report.code.as_str(),
        fingerprint,
        severity: match report.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
        },
        // GitLab drops an entry without a place: the whole checkout is one.
        location: Location {
            path: place.map_or_else(|| ".".to_owned(), |place| checkout.path(&place.file)),
            lines: Lines {
                begin: place.map_or(1, |place| place.line),
                end: place.map_or(1, |place| place.end_line),
            },
        },
    }
}
