//! A stretch of a manifest as reports quote it: whole lines, unless they are long, and nothing that a
//! terminal would take for a command.
//!
//! It finds lines in the manifest's own index, where miette's sources count from the top for every report.

use std::ops::Range;
use std::sync::OnceLock;

use lrpc_compiler::Source;
use lrpc_schema::diagnostic::is_hidden;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::output::escaped;

/// Bytes up to which a line is shown whole.
const SHORT: usize = 200;

/// Bytes of a longer line shown to each side of what is meant; a longer span is underlined to here.
const REACH: usize = 60;

/// Bytes quoted in one piece; places further apart are quoted apart.
const LONGEST: usize = 4096;

/// A stretch of a manifest.
#[derive(Clone, Debug)]
pub(crate) struct Quote {
    pub(crate) source: Source,
    /// The bytes meant.
    pub(crate) span: Range<usize>,
}

impl Quote {
    /// The text meant.
    pub(crate) fn text(&self) -> &str {
        self.source.text().get(self.span.clone()).unwrap_or_default()
    }

    /// The bytes to underline: what is meant, as far as it is on its first line and not too long.
    pub(crate) fn underlined(&self) -> Range<usize> {
        let line = self.source.line_range(self.source.position(self.span.start).line);
        let start = self.span.start.clamp(line.start, line.end);
        let end = self.span.end.clamp(start, line.end);
        if line.len() <= SHORT {
            return start..end;
        }
        start..self.source.text().floor_char_boundary(start.saturating_add(REACH)).min(end)
    }

    /// The lines of a span, cut where they are long, and around them such as are not.
    fn stretch(&self, span: &Range<usize>, before: usize, after: usize) -> Stretch {
        let (source, text) = (&self.source, self.source.text());
        let mut first = source.position(span.start).line;
        let mut last = source.position(span.end).line;
        let (top, bottom) = (source.line_range(first), source.line_range(last));
        let mut range = top.start..bottom.end;
        if top.len() > SHORT {
            range.start = text.ceil_char_boundary(span.start.saturating_sub(REACH)).max(top.start);
        }
        if bottom.len() > SHORT {
            range.end = text.floor_char_boundary(span.end.saturating_add(REACH)).min(bottom.end);
        }
        let cut = (range.start > top.start, range.end < bottom.end);
        let short = |line| Some(source.line_range(line)).filter(|range| range.len() <= SHORT);
        for _ in 0..before {
            let above = first.checked_sub(1).filter(|line| *line > 0 && !cut.0);
            let Some(above) = above.and_then(short) else { break };
            first -= 1;
            range.start = above.start;
        }
        for _ in 0..after {
            let below = Some(last + 1).filter(|line| *line <= source.line_count() && !cut.1);
            let Some(below) = below.and_then(short) else { break };
            last += 1;
            range.end = below.end;
        }
        Stretch { first, range, cut }
    }
}

/// What is shown: from which line, which bytes, and whether they begin and end amid a line.
struct Stretch {
    first: u32,
    range: Range<usize>,
    cut: (bool, bool),
}

/// A manifest as miette reads it while one report is rendered.
#[derive(Debug)]
pub(crate) struct Excerpts<'q> {
    quote: &'q Quote,
    read: Kept,
}

impl<'q> Excerpts<'q> {
    pub(crate) fn of(quote: &'q Quote) -> Self {
        Self { quote, read: Kept::default() }
    }
}

impl SourceCode for Excerpts<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let source = &self.quote.source;
        let span = span.offset()..span.offset().saturating_add(span.len());
        // miette asks whether two places can be shown in one piece, and takes an error for a no.
        if span.len() > LONGEST {
            return Err(MietteError::OutOfBounds);
        }
        // Without context miette asks where the span begins, to print line and column; columns are
        // characters.
        let at = source.position(span.start);
        let (column, stretch) = if lines_before == 0 && lines_after == 0 {
            (at.column, Stretch { first: at.line, range: span, cut: (false, false) })
        } else {
            (1, self.quote.stretch(&span, lines_before, lines_after))
        };
        let text = source.text().get(stretch.range.clone()).ok_or(MietteError::OutOfBounds)?;
        let text = self.read.keep(shown(text, stretch.cut));
        Ok(Box::new(MietteSpanContents::new_named(
            escaped(source.name()),
            text.as_bytes(),
            SourceSpan::from((stretch.range.start, text.len())),
            stretch.first.saturating_sub(1) as usize,
            column.saturating_sub(1) as usize,
            text.lines().count(),
        )))
    }
}

/// The text with an ellipsis where it is cut, and signs for what a terminal would obey. It has the length of
/// the original, so that places in the one are places in the other.
fn shown(text: &str, cut: (bool, bool)) -> String {
    const ELLIPSIS: &str = "…";
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => shown.push('\r'),
            '\n' | '\t' => shown.push(character),
            hidden if is_hidden(hidden) => shown.push_str(match hidden.len_utf8() {
                1 => "?",
                2 => "¿",
                3 => "\u{fffd}",
                _ => "\u{fffd}?",
            }),
            plain => shown.push(plain),
        }
    }
    let mut replace = |range: Range<usize>| {
        let padded = format!("{ELLIPSIS}{}", " ".repeat(range.len().saturating_sub(ELLIPSIS.len())));
        shown.replace_range(range, &padded);
    };
    if cut.0 {
        replace(0..text.ceil_char_boundary(ELLIPSIS.len()));
    }
    if cut.1 {
        replace(text.floor_char_boundary(text.len().saturating_sub(ELLIPSIS.len()))..text.len());
    }
    shown
}

/// Texts that live as long as the list they are added to: miette wants to borrow what it reads.
#[derive(Debug, Default)]
struct Kept(OnceLock<Box<(String, Kept)>>);

impl Kept {
    fn keep(&self, text: String) -> &str {
        let mut text = Some(text);
        let mut end = self;
        loop {
            let entry = end.0.get_or_init(|| Box::new((text.take().unwrap_or_default(), Self::default())));
            if text.is_none() {
                return &entry.0;
            }
            end = &entry.1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(text: &str, meant: &str) -> Quote {
        let start = text.find(meant).unwrap();
        Quote { source: Source::new("a.yaml", text), span: start..start + meant.len() }
    }

    /// What is read around the place, and the part of it that is underlined.
    fn read(quote: &Quote) -> (String, String) {
        let (excerpts, under) = (Excerpts::of(quote), quote.underlined());
        let read = excerpts.read_span(&under.clone().into(), 1, 1).unwrap();
        let from = read.span().offset();
        let text = String::from_utf8(read.data().to_vec()).unwrap();
        let underlined = text[under.start - from..under.end - from].to_owned();
        (text, underlined)
    }

    #[test]
    fn short_lines_are_whole() {
        let quote = quote("a: 1\r\nb: ü2\r\nc: 3\r\nd: 4\r\n", "ü2");
        assert_eq!(read(&quote), ("a: 1\r\nb: ü2\r\nc: 3".to_owned(), "ü2".to_owned()));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let (text, underlined) = read(&quote(&format!("{}#{}\n", "ä".repeat(1 << 20), "b".repeat(999)), "#"));
        assert_eq!(underlined, "#");
        assert_eq!(text.len(), 2 * REACH + 1);
        assert!(text.starts_with("… ää") && text.ends_with("bb…"), "{text}");
    }

    #[test]
    fn long_neighbours_are_left_out() {
        let long = "x".repeat(SHORT + 1);
        assert_eq!(read(&quote(&format!("{long}\na: 1\n{long}\n"), "1")).0, "a: 1");
    }

    #[test]
    fn a_place_of_many_lines_is_underlined_on_its_first() {
        assert_eq!(read(&quote("a:\n  b: 1\n  c: 2\n", "b: 1\n  c: 2")).1, "b: 1");
        let long = "x".repeat(10 * SHORT);
        assert_eq!(read(&quote(&long, &long)).1.len(), REACH);
    }

    #[test]
    fn places_far_apart_are_not_one_piece() {
        let quote = quote(&"x".repeat(LONGEST + 1), "x");
        let excerpts = Excerpts::of(&quote);
        assert!(excerpts.read_span(&(0..LONGEST).into(), 1, 1).is_ok());
        assert!(excerpts.read_span(&(0..LONGEST + 1).into(), 1, 1).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_not_shown() {
        let quote = Quote { source: Source::new("a.yaml", "\u{feff}a: 1"), span: 0..0 };
        assert_eq!(read(&quote), ("a: 1".to_owned(), String::new()));
    }

    #[test]
    fn the_end_of_the_text_is_a_place() {
        for text in ["", "\n", "a: {\n", "a: {"] {
            let quote = Quote { source: Source::new("a.yaml", text), span: text.len()..text.len() };
            assert_eq!(read(&quote).1, "", "{text:?}");
        }
    }

    #[test]
    fn terminals_are_given_no_commands() {
        let (text, underlined) = read(&quote("a: \u{1b}[31m\u{9b}\u{202e} \r1", "1"));
        assert_eq!((&*text, &*underlined), ("a: ?[31m¿\u{fffd} ?1", "1"));
    }
}
