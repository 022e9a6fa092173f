//! Diagnostics beside a result that matters more: a line for each kind, and how to see the rest.

use std::collections::HashMap;

use lrpc_schema::diagnostic::Code;

use super::{Report, Severity};
use crate::output::{Style, Text, escaped};

/// The first headline of each kind with the number of the others, in the order of the reports.
pub(crate) fn render(reports: &[Report]) -> Text {
    let mut text = Text::default();
    let mut counts: HashMap<Code, usize> = HashMap::new();
    for report in reports {
        *counts.entry(report.code).or_default() += 1;
    }
    for report in reports {
        let Some(count) = counts.remove(&report.code) else { continue };
        let style = match report.severity {
            Severity::Error => Style::Bad,
            Severity::Warning => Style::Changed,
        };
        let headline = escaped(&report.message);
        text.paint(style, report.severity.as_str()).push(&format!("[{}] {headline}", report.code));
        match count {
            1 => text.push("\n"),
            more => text.push(&format!(", and {} more of this kind\n", more - 1)),
        };
    }
    if !reports.is_empty() {
        text.push("  help: `lrpc explain NAME` says what each means and what to do\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn a_kind_is_a_line() {
        let report = example::report("a.yaml", "one", "one");
        let other = Report { code: Code::new("port-octal"), severity: Severity::Warning, ..report.clone() };
        let expected = "error[port-zero] port 0 cannot be redirected, and 1 more of this kind\n\
                        warning[port-octal] port 0 cannot be redirected\n  \
                        help: `lrpc explain NAME` says what each means and what to do\n";
        assert_eq!(render(&[report.clone(), other, report]).leaving(false), expected);
        assert_eq!(render(&[]).leaving(false), "");
    }
}
