//! A manifest's text with its name, and the way from byte offsets to lines and columns.
//!
//! Lines and columns count from 1, columns in characters; a byte-order mark is no character of its line.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A stretch of a source, in bytes. Sources are at most [`Source::MAX_BYTES`] long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// The stretch between two offsets.
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end) }
    }

    /// From the start of this one to the end of the other.
    pub fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end.max(self.end) }
    }

    /// The stretch as texts are sliced by.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column in characters.
    pub column: u32,
}

/// The text of one manifest file. A clone is cheap and shares the text.
#[derive(Clone)]
pub struct Source(Arc<Text>);

struct Text {
    name: Arc<str>,
    text: Arc<str>,
    index: OnceLock<Index>,
}

/// A place in a text.
#[derive(Clone, Debug)]
pub struct Spot {
    /// The text.
    pub source: Source,
    /// The bytes meant.
    pub span: Range<usize>,
}

impl Spot {
    /// The place of a stretch of a source.
    pub fn new(source: &Source, span: Span) -> Self {
        Self { source: source.clone(), span: span.range() }
    }

    /// The text there.
    pub fn text(&self) -> &str {
        self.source.text().get(self.span.clone()).unwrap_or_default()
    }
}

impl Source {
    /// The longest text that is read, 16 MiB (about 25,000 policies); a longer one is `input-limit`. A
    /// reader of files can ask for the length first and spare itself the memory.
    pub const MAX_BYTES: usize = 16 << 20;

    /// The text of a file under the name that reports show.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(Text { name: name.into(), text: text.into(), index: OnceLock::new() }))
    }

    /// The file's name as it was given.
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// The text.
    pub fn text(&self) -> &Arc<str> {
        &self.0.text
    }

    /// The text of a stretch; nothing where it is none of this source.
    pub fn slice(&self, span: Span) -> &str {
        self.0.text.get(span.range()).unwrap_or_default()
    }

    /// The position of a byte offset; past the end, that of the end.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.0.text.len());
        self.position_on(self.index().line(offset), offset)
    }

    /// The positions of both ends of a stretch; most stretches end on the line on which they begin.
    pub fn positions(&self, range: &Range<usize>) -> (Position, Position) {
        self.positions_near(range, &mut 0)
    }

    /// [`positions`](Self::positions) of one of many stretches, most of which stand near each other: `line`,
    /// from 0, is where the one before began, and becomes where this one does.
    pub fn positions_near(&self, range: &Range<usize>, line: &mut usize) -> (Position, Position) {
        let start = range.start.min(self.0.text.len());
        *line = self.index().line_near(start, *line);
        let line = *line;
        let next = self.index().lines.get(line + 1).map_or(usize::MAX, |next| *next as usize);
        let end = range.end.min(self.0.text.len());
        let is_one_line = (start..next).contains(&end);
        let end = if is_one_line { self.position_on(line, end) } else { self.position(end) };
        (self.position_on(line, start), end)
    }

    /// The bytes of a stretch between two positions.
    pub fn range(&self, start: Position, end: Position) -> Range<usize> {
        let start = self.offset(start);
        start..self.offset(end).max(start)
    }

    fn offset(&self, position: Position) -> usize {
        let index = self.index();
        let start = index.start((position.line as usize).saturating_sub(1));
        let before = index.characters_before(&self.0.text, start);
        index.offset(&self.0.text, before + (position.column as usize).saturating_sub(1))
    }

    /// The position of an offset on its line, which counts from 0.
    fn position_on(&self, line: usize, offset: usize) -> Position {
        let index = self.index();
        let before = |at| index.characters_before(&self.0.text, at);
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let column = before(offset).saturating_sub(before(index.start(line))) + 1;
        Position { line: narrow(line + 1), column: narrow(column) }
    }

    /// The bytes of a line (from 1) without its line break; empty past the end.
    pub fn line_range(&self, line: u32) -> Range<usize> {
        let index = self.index();
        let Some(number) = (line as usize).checked_sub(1).filter(|line| *line < index.lines.len()) else {
            let end = self.0.text.len();
            return end..end;
        };
        let start = index.start(number);
        let end = index.lines.get(number + 1).map_or(self.0.text.len(), |next| *next as usize);
        let line = self.0.text.get(start..end).unwrap_or_default();
        start..start + line.trim_end_matches(['\n', '\r']).len()
    }

    /// The number of lines, at least 1.
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.index().lines.len()).unwrap_or(u32::MAX)
    }

    fn index(&self) -> &Index {
        self.0.index.get_or_init(|| Index::new(&self.0.text))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.0.name, self.0.text.len())
    }
}

/// Bytes between two entries of [`Index::characters`].
const STRIDE: usize = 1024;

/// Where lines start and, unless every character is one byte, how many characters precede each
/// [`STRIDE`]th byte: a column far into a long line is then found without walking the line.
struct Index {
    lines: Vec<u32>,
    characters: Option<Vec<u32>>,
}

impl Index {
    fn new(text: &str) -> Self {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let breaks = text.match_indices('\n').map(|(at, _)| narrow(at + 1));
        let lines = std::iter::once(narrow(first)).chain(breaks).collect();
        let characters = (!text.is_ascii()).then(|| {
            let mut total = 0;
            let strides = text.as_bytes().chunks(STRIDE).map(|chunk| {
                total += characters(chunk);
                narrow(total)
            });
            std::iter::once(0).chain(strides).collect()
        });
        Self { lines, characters }
    }

    /// The line (from 0) that holds an offset.
    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start as usize <= offset).saturating_sub(1)
    }

    /// [`line`](Self::line), looked for among the few after a line before it is looked for among all.
    fn line_near(&self, offset: usize, near: usize) -> usize {
        const FEW: usize = 4;
        let few = self.lines.get(near..).unwrap_or_default();
        let few = few.get(..FEW).unwrap_or(few);
        match few.partition_point(|start| *start as usize <= offset) {
            0 | FEW => self.line(offset),
            after => near + after - 1,
        }
    }

    fn start(&self, line: usize) -> usize {
        self.lines.get(line).map_or(0, |start| *start as usize)
    }

    /// The byte offset of the character before which there are so many.
    fn offset(&self, text: &str, count: usize) -> usize {
        let Some(strides) = &self.characters else { return count.min(text.len()) };
        let stride = strides.partition_point(|before| (*before as usize) <= count).saturating_sub(1);
        let before = strides.get(stride).map_or(0, |count| *count as usize);
        let rest = text.as_bytes().get(stride * STRIDE..).unwrap_or_default();
        let starts = rest.iter().zip(stride * STRIDE..).filter(|(byte, _)| **byte & 0xc0 != 0x80);
        starts.map(|(_, at)| at).nth(count - before).unwrap_or(text.len())
    }

    fn characters_before(&self, text: &str, offset: usize) -> usize {
        let Some(strides) = &self.characters else { return offset };
        let stride = offset / STRIDE;
        let before = strides.get(stride).map_or(0, |count| *count as usize);
        before + text.as_bytes().get(stride * STRIDE..offset).map_or(0, characters)
    }
}

/// The number of characters that start in a stretch of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(text: &str, offset: usize) -> (u32, u32) {
        let position = Source::new("a.yaml", text).position(offset);
        (position.line, position.column)
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("a: ü b", "a: ü b".find('b').unwrap()), (1, 6));
        assert_eq!(position("a\r\nbc", 4), (2, 2));
        assert_eq!(position("\u{feff}kind", 3), (1, 1));
        assert_eq!(position("ab", 99), (1, 3));
    }

    #[test]
    fn both_ends_of_a_stretch_are_where_each_is_alone() {
        let source = Source::new("a.yaml", "a: ü\nb: |\n  c\n");
        let length = source.text().len();
        for (start, end) in (0..=length).flat_map(|start| (start..=length + 1).map(move |end| (start, end))) {
            let apart = (source.position(start), source.position(end));
            assert_eq!(source.positions(&(start..end)), apart, "{start}..{end}");
            for mut line in 0..6 {
                assert_eq!(source.positions_near(&(start..end), &mut line), apart, "{start}..{end}");
                assert_eq!(line + 1, apart.0.line as usize);
            }
        }
    }

    #[test]
    fn positions_give_back_their_bytes() {
        for text in ["a: b\nc: |\n  d\n".to_owned(), format!("\u{feff}ü: ß\r\n{}\nd", "é".repeat(2000))] {
            let source = Source::new("a.yaml", text);
            let starts: Vec<_> = source.text().char_indices().map(|(at, _)| at).skip(1).collect();
            for (start, end) in starts.iter().zip(starts.iter().skip(3)) {
                let (from, to) = source.positions(&(*start..*end));
                assert_eq!(source.range(from, to), *start..*end, "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn a_column_far_into_a_long_line_is_right() {
        let text = "é".repeat(5000);
        assert_eq!(position(&text, 2 * 4321), (1, 4322));
    }

    #[test]
    fn lines_are_given_without_their_break() {
        let source = Source::new("a.yaml", "a\r\nbc\n");
        let line = |number| &source.text()[source.line_range(number)];
        assert_eq!([line(1), line(2), line(3), line(9)], ["a", "bc", "", ""]);
        assert_eq!(source.line_count(), 3);
    }
}
