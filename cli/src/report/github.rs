//! Workflow commands of GitHub Actions: each line becomes an annotation at its place in the pull request.

use std::fmt::Write as _;

use super::checkout::Checkout;
use super::{Location, Report, prose};

pub(crate) fn render(reports: &[Report], checkout: &Checkout) -> String {
    reports.iter().map(|report| command(report, checkout)).collect()
}

fn command(report: &Report, checkout: &Checkout) -> String {
    let place = report.primary.as_ref().map(|label| place(&label.at, checkout)).unwrap_or_default();
    let severity = report.severity.as_str();
    format!(
        "::{severity} title={}{place}::{}\n",
        property(report.code.as_str()),
        message(&prose(report, checkout))
    )
}

/// The place, after the title. GitHub refuses columns where an annotation is longer than a line.
fn place(at: &Location, checkout: &Checkout) -> String {
    let place = &at.place;
    let mut text = format!(",file={},line={}", property(&checkout.path(&place.file)), place.line);
    // Writing to a `String` cannot fail.
    let _ = if place.line == place.end_line {
        write!(text, ",col={},endColumn={}", place.column, place.end_column)
    } else {
        write!(text, ",endLine={}", place.end_line)
    };
    text
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn what_ends_a_command_is_escaped() {
        let mut report = example::report("a,b:c.yaml", "port: \"0\"\n", "\"0\"");
        report.message = "100% wrong: a, b".to_owned();
        report.help = Some("write\r\nthis".to_owned());
        assert_eq!(
            render(&[report], &Checkout::default()),
            "::error title=port-zero,file=a%2Cb%3Ac.yaml,line=1,col=7,endColumn=10\
             ::100%25 wrong: a, b%0Ahelp: write%0D%0Athis\n"
        );
    }

    #[test]
    fn several_lines_have_no_columns() {
        let report = example::report("a.yaml", "a:\n  b: c\n", "a:\n  b: c");
        let text = render(&[report], &Checkout::default());
        assert!(text.starts_with("::error title=port-zero,file=a.yaml,line=1,endLine=2::"), "{text}");
    }

    #[test]
    fn without_a_place_the_title_stands_alone() {
        let report = Report { primary: None, ..example::report("a.yaml", "a", "a") };
        let text = render(&[report], &Checkout::default());
        assert!(text.starts_with("::error title=port-zero::"), "{text}");
    }
}
