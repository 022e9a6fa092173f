//! Diagnostics for people: miette's graphical report, with the carets under the text that is meant.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use lrpc_compiler::Source;
use lrpc_schema::image::Place;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};

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
        let _ = handler.render_report(&mut text, &Shown(report));
        text.push('\n');
    }
    text
}

/// A stretch of a manifest that miette can quote: it finds lines in the manifest's own index, where
/// miette's sources count from the top for every report.
#[derive(Clone, Debug)]
pub(crate) struct Quote {
    pub(crate) source: Source,
    /// The bytes meant.
    pub(crate) span: Range<usize>,
}

impl SourceCode for Quote {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let position = self.source.position(start);
        // Without context miette asks where the span begins, to print line and column; columns are
        // characters.
        let (line, column, range) = if lines_before == 0 && lines_after == 0 {
            (position.line, position.column, start..end)
        } else {
            let shift = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
            let first = position.line.saturating_sub(shift(lines_before)).max(1);
            let last = self.source.position(end).line.saturating_add(shift(lines_after));
            let last = self.source.line_range(last.min(self.source.line_count()));
            (first, 1, self.source.line_range(first).start..last.end)
        };
        let data = self.source.text().get(range.clone()).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.source.name().to_string(),
            data.as_bytes(),
            SourceSpan::from((range.start, range.len())),
            line.saturating_sub(1) as usize,
            column.saturating_sub(1) as usize,
            self.source.line_count() as usize,
        )))
    }
}

/// A report as miette wants it.
#[derive(Debug)]
struct Shown<'a>(&'a Report);

impl Shown<'_> {
    fn quote(&self) -> Option<&Quote> {
        self.0.at.as_ref()?.quote.as_ref()
    }

    /// The quotation of a related place that can be labelled in the primary place's own.
    fn beside<'a>(&self, location: &'a Location) -> Option<&'a Quote> {
        let own = self.quote()?;
        location.quote.as_ref().filter(|quote| Arc::ptr_eq(quote.source.text(), own.source.text()))
    }
}

/// The headline; below it, the place where no text is at hand to quote, and the nodes.
impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(at) = self.0.at.as_ref().filter(|at| at.quote.is_none()) {
            write!(f, "\nat {}", shown_place(&at.place))?;
        }
        if let Some(nodes) = &self.0.nodes {
            let more = nodes.count.saturating_sub(nodes.names.len());
            write!(f, "\non {}", nodes.names.join(", "))?;
            if more > 0 {
                write!(f, " and {more} more")?;
            }
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
        Some(Box::new(self.0.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.0.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.quote().map(|quote| quote as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let at = self.0.at.as_ref()?;
        let span = self.quote()?.span.clone();
        let primary = LabeledSpan::new_primary_with_span(some(&at.label), span);
        let beside = self.0.related.iter().filter_map(|location| {
            let span = self.beside(location)?.span.clone();
            Some(LabeledSpan::new_with_span(some(&location.label), span))
        });
        Some(Box::new(std::iter::once(primary).chain(beside)))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let elsewhere = self.0.related.iter().filter(|location| self.beside(location).is_none());
        let mut elsewhere = elsewhere.map(|location| location as &dyn Diagnostic).peekable();
        elsewhere.peek().is_some().then(|| Box::new(elsewhere) as Box<dyn Iterator<Item = _>>)
    }
}

fn some(label: &str) -> Option<String> {
    (!label.is_empty()).then(|| label.to_owned())
}

/// A related place in another manifest, which miette shows as a report of its own.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        if self.quote.is_none() {
            write!(f, " at {}", shown_place(&self.place))?;
        }
        Ok(())
    }
}

impl std::error::Error for Location {}

impl Diagnostic for Location {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.quote.as_ref().map(|quote| quote as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.quote.as_ref()?.span.clone();
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(None, span))))
    }
}
