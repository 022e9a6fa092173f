//! One line for each diagnostic: `file:line:col: severity[code] headline`, and behind it the nodes on which it holds
//! and the other places of a pair.

use super::{Report, elsewhere};
use crate::output::escaped;

pub(crate) fn render(reports: &[Report]) -> String {
    let line = |report: &Report| {
        let related = report.related.iter();
        let places = related.map(|label| format!("; {}", escaped(&elsewhere(label, &label.at.place.file))));
        let nodes = report.nodes.as_ref().map(|nodes| escaped(&format!(" (on {nodes})")));
        headline(report) + &nodes.unwrap_or_default() + &places.collect::<String>() + "\n"
    };
    reports.iter().map(line).collect()
}

/// The place and the headline of one, on one line whatever is in them.
pub(super) fn headline(report: &Report) -> String {
    let Report { code, severity, .. } = report;
    let message = escaped(&report.message);
    match &report.primary {
        Some(label) => {
            let place = &label.at.place;
            let file = escaped(&place.file);
            format!("{file}:{}:{}: {severity}[{code}] {message}", place.line, place.column)
        }
        None => format!("{severity}[{code}] {message}"),
    }
}
