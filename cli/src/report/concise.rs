//! One line for each diagnostic: `file:line:col: severity[code] headline`.

use super::Report;

pub(crate) fn render(reports: &[Report]) -> String {
    reports.iter().map(line).collect()
}

/// The line of one, with its end.
pub(crate) fn line(report: &Report) -> String {
    let Report { code, message, .. } = report;
    let severity = report.severity.as_str();
    match &report.primary {
        Some(at) => {
            let place = &at.at.place;
            format!("{}:{}:{}: {severity}[{code}] {message}\n", place.file, place.line, place.column)
        }
        None => format!("{severity}[{code}] {message}\n"),
    }
}
