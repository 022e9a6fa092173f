//! Diagnostics for people: miette's graphical report, with the carets under the text that is meant.

use std::fmt;
use std::sync::Arc;

use lrpc_schema::diagnostic::Label;
use lrpc_schema::image::Place;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use super::quote::Excerpts;
use super::{Location, Report, Severity};

/// Columns of a report, the same on every terminal so that reports can be compared.
const WIDTH: usize = 100;

/// Every diagnostic, separated by empty lines.
pub(crate) fn render(reports: &[Report], colors: bool) -> String {
    let theme = if colors { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
    let mut text = String::new();
    for report in reports {
        // Writing to a `String` cannot fail, and a source that is at hand can be read.
        let _ = handler.render_report(&mut text, &Shown::new(report));
        text.push('\n');
    }
    text
}

/// A report as miette wants it.
#[derive(Debug)]
struct Shown<'a> {
    report: &'a Report,
    /// The manifest that is quoted, where its text is at hand.
    excerpts: Option<Excerpts<'a>>,
    /// The labels in that manifest, the primary one first.
    labels: Vec<LabeledSpan>,
    /// Related places in other manifests.
    elsewhere: Vec<Elsewhere<'a>>,
}

impl<'a> Shown<'a> {
    fn new(report: &'a Report) -> Self {
        let own = report.primary.as_ref().and_then(|label| Some((label, label.at.quote.as_ref()?)));
        let mut labels: Vec<_> = own
            .map(|(label, quote)| {
                LabeledSpan::new_primary_with_span(some(&label.message), quote.underlined())
            })
            .into_iter()
            .collect();
        let mut elsewhere = Vec::new();
        for label in &report.related {
            match (&label.at.quote, own) {
                (Some(quote), Some((_, own))) if Arc::ptr_eq(quote.source.text(), own.source.text()) => {
                    labels.push(LabeledSpan::new_with_span(some(&label.message), quote.underlined()));
                }
                _ => elsewhere.push(Elsewhere::new(label)),
            }
        }
        Self { report, excerpts: own.map(|(_, quote)| Excerpts::of(quote)), labels, elsewhere }
    }
}

/// The headline; below it, the place where no text is at hand to quote, and the nodes.
impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report.message)?;
        if let Some(at) = self.report.primary.as_ref().map(|label| &label.at).filter(|at| at.quote.is_none())
        {
            write!(f, "\nat {}", shown_place(&at.place))?;
        }
        if let Some(nodes) = &self.report.nodes {
            write!(f, "\non {nodes}")?;
        }
        Ok(())
    }
}

fn shown_place(place: &Place) -> String {
    format!("{}:{}:{}", place.file, place.line, place.column)
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.report.code.as_str()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.report.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.report.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpts.as_ref().map(|excerpts| excerpts as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let elsewhere = self.elsewhere.iter().map(|place| place as &dyn Diagnostic);
        (!self.elsewhere.is_empty()).then(|| Box::new(elsewhere) as Box<dyn Iterator<Item = _>>)
    }
}

fn some(label: &str) -> Option<String> {
    (!label.is_empty()).then(|| label.to_owned())
}

/// A related place in another manifest, which miette shows as a report of its own.
#[derive(Debug)]
struct Elsewhere<'a> {
    label: &'a Label<Location>,
    excerpts: Option<Excerpts<'a>>,
}

impl<'a> Elsewhere<'a> {
    fn new(label: &'a Label<Location>) -> Self {
        Self { label, excerpts: label.at.quote.as_ref().map(Excerpts::of) }
    }
}

impl fmt::Display for Elsewhere<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label.message)?;
        if self.excerpts.is_none() {
            write!(f, " at {}", shown_place(&self.label.at.place))?;
        }
        Ok(())
    }
}

impl std::error::Error for Elsewhere<'_> {}

impl Diagnostic for Elsewhere<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpts.as_ref().map(|excerpts| excerpts as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.label.at.quote.as_ref()?.underlined();
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(None, span))))
    }
}

#[cfg(test)]
mod tests {
    use lrpc_compiler::Source;

    use super::*;
    use crate::report::example;

    #[test]
    fn places_in_one_file_are_quoted_together_or_apart() {
        let middle = "x: 1\n".repeat(50);
        let source = Source::new("a.yaml", format!("ip: one\n{middle}ip: two\nto: three\n"));
        let report = Report {
            primary: Some(example::location(&source, "two", "claimed again here")),
            related: vec![
                example::location(&source, "one", "first claimed here"),
                example::location(&source, "three", "served here"),
            ],
            help: None,
            ..example::report("a.yaml", "x", "x")
        };
        let expected = "\
port-zero

  × port 0 cannot be redirected
   ╭─[a.yaml:1:5]
 1 │ ip: one
   ·     ─┬─
   ·      ╰── first claimed here
 2 │ x: 1
   ╰────
    ╭─[a.yaml:52:5]
 51 │ x: 1
 52 │ ip: two
    ·     ─┬─
    ·      ╰── claimed again here
 53 │ to: three
    ·     ──┬──
    ·       ╰── served here
    ╰────

";
        assert_eq!(render(&[report], false), expected);
    }

    #[test]
    fn another_file_is_a_report_of_its_own() {
        let mut report = example::report("a.yaml", "ip: one\n", "one");
        let other = Source::new("b.yaml", "ip: one\n");
        report.related.push(example::location(&other, "one", "first claimed here"));
        let mut without_text = example::location(&other, "ip", "and here");
        without_text.at.quote = None;
        report.related.push(without_text);
        let expected = "\
port-zero

  × port 0 cannot be redirected
   ╭─[a.yaml:1:5]
 1 │ ip: one
   ·     ───
   ╰────

Advice: 
  ☞ first claimed here
   ╭─[b.yaml:1:5]
 1 │ ip: one
   ·     ───
   ╰────

Advice: 
  ☞ and here at b.yaml:1:1

";
        assert_eq!(render(&[report], false), expected);
    }

    #[test]
    fn columns_count_characters() {
        let report = example::report("a.yaml", "日本: \"ü\" # x\r\n", "\"ü\"");
        let expected = "\
port-zero

  × port 0 cannot be redirected
   ╭─[a.yaml:1:5]
 1 │ 日本: \"ü\" # x
   ·       ───
   ╰────

";
        assert_eq!(render(&[report], false), expected);
    }
}
