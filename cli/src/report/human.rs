//! Diagnostics for people: miette's graphical report, with the carets under the text that is meant.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use lrpc_schema::diagnostic::{Code, Label};
use lrpc_schema::image::Place;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use textwrap::{WordSeparator, WordSplitter};

use super::quote::Excerpts;
use super::{Location, Report, Severity};
use crate::output::{Terminal, Text, broken, escaped, unbroken};

/// Diagnostics of one code up to which each is shown.
const FEW: usize = 10;

/// Places that an entry for many names.
const NAMED: usize = 3;

/// How much of many equal diagnostics is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Detail {
    /// Each.
    All,
    /// One entry with a count where there are more than a few of one code; the words say how to see the rest.
    Folded(&'static str),
}

impl Detail {
    /// What is shown beside another result, of manifests that `lrpc check` can be asked about.
    pub(crate) const BESIDE: Self = Self::Folded("`lrpc check --all` shows each");

    /// What a command shows that has the flag `--all`.
    pub(crate) fn asked(all: bool) -> Self {
        if all { Self::All } else { Self::Folded("--all shows each") }
    }
}

/// The diagnostics in their order, separated by empty lines.
pub(crate) fn render(reports: &[Report], detail: Detail, terminal: Terminal) -> Text {
    let theme = if terminal.colors { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(terminal.width)
        .with_links(false)
        .with_break_words(false)
        .with_word_separator(WordSeparator::AsciiSpace)
        .with_word_splitter(WordSplitter::NoHyphenation);
    let mut text = String::new();
    for entry in entries(reports, detail) {
        // Writing to a `String` cannot fail, and a source that is at hand can be read.
        let _ = handler.render_report(&mut text, &Shown::new(&entry));
        text.push('\n');
    }
    Text::coloured(broken(&text))
}

/// A diagnostic, and those of its code for which it stands.
#[derive(Debug)]
struct Entry<'a> {
    report: &'a Report,
    rest: Vec<&'a Report>,
    /// How to see the rest.
    all: &'static str,
}

/// An entry for each diagnostic, or for the first of many.
fn entries(reports: &[Report], detail: Detail) -> Vec<Entry<'_>> {
    let of_code = of_code(reports);
    let entry = |report| {
        let alone = Entry { report, rest: Vec::new(), all: "" };
        let Detail::Folded(all) = detail else { return Some(alone) };
        match of_code.get(&report.code).map(Vec::as_slice) {
            Some([first, rest @ ..]) if rest.len() >= FEW => {
                std::ptr::eq(*first, report).then(|| Entry { report, rest: rest.to_vec(), all })
            }
            _ => Some(alone),
        }
    };
    reports.iter().filter_map(entry).collect()
}

fn of_code(reports: &[Report]) -> HashMap<Code, Vec<&Report>> {
    let mut of_code: HashMap<Code, Vec<&Report>> = HashMap::new();
    for report in reports {
        of_code.entry(report.code).or_default().push(report);
    }
    of_code
}

/// Words as miette may have them: with no command to a terminal, and with the names in backticks whole.
fn safe(words: &str) -> String {
    words.lines().map(|line| unbroken(&escaped(line))).collect::<Vec<_>>().join("\n")
}

/// A report as miette wants it.
#[derive(Debug)]
struct Shown<'a> {
    entry: &'a Entry<'a>,
    /// The manifest that is quoted, where its text is at hand.
    excerpts: Option<Excerpts<'a>>,
    /// The labels in that manifest, the primary one first.
    labels: Vec<LabeledSpan>,
    /// Related places in other manifests.
    elsewhere: Vec<Elsewhere<'a>>,
}

impl<'a> Shown<'a> {
    fn new(entry: &'a Entry<'a>) -> Self {
        let report = entry.report;
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
        Self { entry, excerpts: own.map(|(_, quote)| Excerpts::of(quote)), labels, elsewhere }
    }
}

/// The headline; below it the place where no text is at hand to quote, the nodes, and the rest of many.
impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { report, rest, all } = self.entry;
        f.write_str(&safe(&report.message))?;
        if let Some(label) = report.primary.as_ref().filter(|label| label.at.quote.is_none()) {
            write!(f, "\nat {}", shown_place(&label.at.place))?;
        }
        if let Some(nodes) = &report.nodes {
            write!(f, "\non {}", escaped(&nodes.to_string()))?;
        }
        if !rest.is_empty() {
            write!(f, "\nand {} more of this kind", rest.len())?;
            for (place, before) in
                rest.iter().filter_map(|report| shown_at(report)).take(NAMED).zip([":", ",", ","])
            {
                write!(f, "{before} {place}")?;
            }
            write!(f, "\n{all}")?;
        }
        Ok(())
    }
}

/// Where a diagnostic is: its place, else its policy.
fn shown_at(report: &Report) -> Option<String> {
    let place = report.primary.as_ref().map(|label| shown_place(&label.at.place));
    place.or_else(|| Some(escaped(&report.policy.as_ref()?.to_string())))
}

fn shown_place(place: &Place) -> String {
    format!("{}:{}:{}", escaped(&place.file), place.line, place.column)
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.entry.report.code.as_str()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.entry.report.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.entry.report.help.as_ref()?;
        Some(Box::new(safe(help)))
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
    (!label.is_empty()).then(|| safe(label))
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
        f.write_str(&safe(&self.label.message))?;
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

    fn rendered(reports: &[Report], detail: Detail) -> Text {
        render(reports, detail, Terminal { colors: false, width: 80 })
    }

    fn shown(report: Report) -> Text {
        rendered(&[report], Detail::All)
    }

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
        assert_eq!(shown(report), Text::coloured(expected.to_owned()));
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
        assert_eq!(shown(report), Text::coloured(expected.to_owned()));
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
        assert_eq!(shown(report), Text::coloured(expected.to_owned()));
    }

    #[test]
    fn names_in_backticks_are_not_broken() {
        let mut report = Report { primary: None, ..example::report("a.yaml", "x", "x") };
        let name = "`a name of several words and-some-dashes-in-it`";
        report.message = format!("{} {name} {name} {name}", "word ".repeat(10));
        let text = shown(report).leaving(false);
        assert_eq!(text.matches(name).count(), 3, "{text}");
    }

    #[test]
    fn what_others_wrote_is_no_command_to_a_terminal() {
        let file = "a\u{1b}[5m\n.yaml";
        let mut report = example::report(file, "ip: \u{1b}[5mone\u{200b}\n", "one");
        report.message = "wrong `\u{1b}[5m\u{202e}`".to_owned();
        report.help = Some("write\r\n\u{1b}[5m".to_owned());
        report.related.push(example::location(&Source::new(file, "b: \u{1b}c"), "b", "\u{1b}[5m"));
        let mut unquoted = report.clone();
        unquoted.related.iter_mut().chain(&mut unquoted.primary).for_each(|label| label.at.quote = None);
        let text =
            render(&[report, unquoted], Detail::All, Terminal { colors: true, width: 80 }).leaving(true);
        assert!(text.contains("\u{1b}[") && text.contains("\\u{1b}[5m"), "coloured, and spelt out: {text}");
        for hidden in ["\u{1b}[5m", "\u{1b}c", "\u{202e}", "\u{200b}", "\r"] {
            assert!(!text.contains(hidden), "{hidden:?} in {text:?}");
        }
    }

    #[test]
    fn many_of_one_code_are_one_entry() {
        let report = |line: usize| example::report("a.yaml", &format!("{}one\n", "\n".repeat(line)), "one");
        let other = Report { code: Code::new("port-octal"), ..report(50) };
        let reports: Vec<Report> = (0..=FEW).map(report).chain([other]).collect();
        let folded = rendered(&reports, Detail::Folded("--all shows each"));
        let expected = "\
port-zero

  × port 0 cannot be redirected
  │ and 10 more of this kind: a.yaml:2:1, a.yaml:3:1, a.yaml:4:1
  │ --all shows each
   ╭─[a.yaml:1:1]
 1 │ one
   · ───
   ╰────

port-octal

  × port 0 cannot be redirected
    ╭─[a.yaml:51:1]
 50 │ 
 51 │ one
    · ───
    ╰────

";
        assert_eq!(folded, Text::coloured(expected.to_owned()));
        assert_eq!(entries(&reports, Detail::All).len(), FEW + 2);
        assert_eq!(entries(&reports[1..], Detail::Folded("")).len(), FEW + 1, "few are shown");
    }
}
