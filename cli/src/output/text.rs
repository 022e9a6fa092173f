//! What is printed for people: words, some of them in a style. No control character in the words reaches a
//! terminal, and colours are added where the text leaves.

use std::fmt;
use std::io::{self, Write};

use lrpc_schema::diagnostic::is_hidden;

/// How words look on a terminal that has colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    /// As everything around them.
    #[default]
    Plain,
    /// What the eye is to find first.
    Bold,
    /// What matters less.
    Dim,
    /// What is well, or better than before.
    Good,
    /// What is neither.
    Changed,
    /// What is wrong.
    Bad,
}

impl Style {
    /// The parameters of the terminal's command; `None` where there is nothing to say.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Good => Some("32"),
            Self::Changed => Some("33"),
            Self::Bad => Some("1;31"),
        }
    }
}

/// How much further the rest of a broken line is indented.
const HANGING: usize = 4;

/// Words on their way to a reader, from wherever they come. Writing to it adds plain words and cannot fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Anybody's words.
    Words(Style, String),
    /// What a renderer has coloured by itself.
    Coloured(String),
}

impl Text {
    /// The output of a renderer that colours by itself. Its colours stay, so it must have been given the words
    /// of others as [`escaped`] has them; every other control is escaped here.
    pub(crate) fn coloured(text: String) -> Self {
        Self { pieces: vec![Piece::Coloured(text)] }
    }

    /// Adds words in a style.
    pub(crate) fn paint(&mut self, style: Style, words: &str) -> &mut Self {
        match self.pieces.last_mut() {
            Some(Piece::Words(last, text)) if *last == style => text.push_str(words),
            _ => self.pieces.push(Piece::Words(style, words.to_owned())),
        }
        self
    }

    /// Adds another text.
    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// Adds plain words.
    pub(crate) fn push(&mut self, words: &str) -> &mut Self {
        self.paint(Style::Plain, words)
    }

    /// The text in lines no longer than this, as far as there are spaces to break them at; none in backticks is. What
    /// goes on in another line is indented further. A renderer that colours by itself has broken its own.
    pub(crate) fn wrapped(&self, width: usize) -> Self {
        let mut wrapped = Self::default();
        let mut line = Vec::new();
        for piece in &self.pieces {
            let (style, words) = match piece {
                Piece::Words(style, words) => (*style, words),
                Piece::Coloured(_) => {
                    wrapped.pieces.push(piece.clone());
                    continue;
                }
            };
            for character in words.chars() {
                if character == '\n' {
                    wrapped.broken(&line, width);
                    wrapped.paint(style, "\n");
                    line.clear();
                } else {
                    line.push((style, character));
                }
            }
        }
        wrapped.broken(&line, width);
        wrapped
    }

    /// Adds one line as several where it is too long.
    fn broken(&mut self, line: &[(Style, char)], width: usize) {
        let spaces = line.iter().take_while(|(_, character)| *character == ' ').count();
        let indent = " ".repeat(spaces + HANGING);
        let mut rest = line;
        let mut room = width;
        while let Some(at) = break_in(rest, room) {
            let (now, later) = rest.split_at(at);
            let is_space = |(_, character): &(Style, char)| *character == ' ';
            let kept = now.iter().rposition(|one| !is_space(one)).map_or(0, |last| last + 1);
            self.characters(now.get(..kept).unwrap_or_default());
            self.push("\n").push(&indent);
            room = width.saturating_sub(indent.len());
            let begin = later.iter().position(|one| !is_space(one)).unwrap_or(later.len());
            rest = later.get(begin..).unwrap_or_default();
        }
        self.characters(rest);
    }

    fn characters(&mut self, characters: &[(Style, char)]) {
        for (style, character) in characters {
            self.paint(*style, character.encode_utf8(&mut [0; 4]));
        }
    }

    /// Writes the text as a terminal or a file may have it, with a line end where it has none.
    ///
    /// # Errors
    /// Those of the writer.
    pub(crate) fn leave(&self, out: &mut impl Write, colors: bool) -> io::Result<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Coloured(text) => escape(out, text, is_obeyed_but_colours)?,
                Piece::Words(style, words) => {
                    let code = style.code().filter(|_| colors);
                    if let Some(code) = code {
                        write!(out, "\u{1b}[{code}m")?;
                    }
                    escape(out, words, is_obeyed)?;
                    if code.is_some() {
                        out.write_all(b"\x1b[0m")?;
                    }
                }
            }
        }
        match self.last() {
            None | Some('\n') => Ok(()),
            Some(_) => out.write_all(b"\n"),
        }
    }

    /// The last character.
    fn last(&self) -> Option<char> {
        let words = self.pieces.iter().rev().map(|piece| match piece {
            Piece::Words(_, words) | Piece::Coloured(words) => words,
        });
        words.filter_map(|words| words.chars().next_back()).next()
    }

    /// The text as it leaves, for tests.
    #[cfg(test)]
    pub(crate) fn leaving(&self, colors: bool) -> String {
        let mut out = Vec::new();
        self.leave(&mut out, colors).unwrap();
        String::from_utf8(out).unwrap()
    }
}

/// The last space at which a line that is too long can be broken so that its beginning fits, else the first.
fn break_in(line: &[(Style, char)], room: usize) -> Option<usize> {
    if line.len() <= room {
        return None;
    }
    let mut best = None;
    let (mut begun, mut quoted) = (false, false);
    for (at, (_, character)) in line.iter().enumerate() {
        match character {
            '`' => quoted = !quoted,
            ' ' if begun && !quoted && (at <= room || best.is_none()) => best = Some(at),
            _ => {}
        }
        begun |= *character != ' ';
        if at >= room && best.is_some() {
            break;
        }
    }
    best
}

impl fmt::Write for Text {
    fn write_str(&mut self, words: &str) -> fmt::Result {
        self.push(words);
        Ok(())
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(words: T) -> Self {
        Self { pieces: vec![Piece::Words(Style::Plain, words.into())] }
    }
}

/// One line of anybody's words, with every character spelt out that a reader would not see.
pub(crate) fn escaped(words: &str) -> String {
    if !words.contains(is_hidden) {
        return words.to_owned();
    }
    let spell = |character: char| match character {
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        hidden if is_hidden(hidden) => hidden.escape_unicode().to_string(),
        seen => seen.to_string(),
    };
    words.chars().map(spell).collect()
}

/// Writes a text with those characters spelt out that `is_meant` says; it is given the text from the character
/// on.
fn escape(out: &mut impl Write, text: &str, is_meant: impl Fn(&str, char) -> bool) -> io::Result<()> {
    // Most texts are large and have nothing to spell.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return out.write_all(text.as_bytes());
    }
    let mut kept = 0;
    for (at, character) in text.char_indices().filter(|(_, character)| is_hidden(*character)) {
        let (before, from) = (text.get(kept..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
        if is_meant(from, character) {
            write!(out, "{before}{}", character.escape_unicode())?;
            kept = at + character.len_utf8();
        }
    }
    out.write_all(text.get(kept..).unwrap_or_default().as_bytes())
}

/// Lines and columns are ours to make.
fn is_obeyed(_: &str, character: char) -> bool {
    !matches!(character, '\n' | '\t')
}

/// Whether a terminal would obey more than a change of colour, `ESC [ digits and semicolons m`.
fn is_obeyed_but_colours(from: &str, character: char) -> bool {
    let parameters = from.strip_prefix("\u{1b}[");
    let end =
        parameters.map(|rest| rest.trim_start_matches(|next: char| next.is_ascii_digit() || next == ';'));
    is_obeyed(from, character) && !end.is_some_and(|rest| rest.starts_with('m'))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_leaves() {
        let mut text = Text::from("a\u{1b}]0;t\u{7}\r\u{9b}2J\u{202e}\u{200b}\u{e0041}\tb\n");
        let _ = write!(text, "\u{1b}[31m{}", "red".to_owned());
        let escaped = "a\\u{1b}]0;t\\u{7}\\u{d}\\u{9b}2J\\u{202e}\\u{200b}\\u{e0041}\tb\n\\u{1b}[31mred\n";
        assert_eq!((text.leaving(false), text.leaving(true)), (escaped.to_owned(), escaped.to_owned()));
    }

    #[test]
    fn our_colours_are_around_escaped_words() {
        let mut text = Text::default();
        text.paint(Style::Bad, "-").push(" ").paint(Style::Bold, "\u{1b}[0m");
        assert_eq!(text.leaving(true), "\u{1b}[1;31m-\u{1b}[0m \u{1b}[1m\\u{1b}[0m\u{1b}[0m\n");
        assert_eq!(text.leaving(false), "- \\u{1b}[0m\n");
    }

    #[test]
    fn a_renderer_keeps_its_colours_and_nothing_else() {
        let text = Text::coloured("\u{1b}[1;31mx\u{1b}[0m\u{1b}[2Jy\u{1b}\n".to_owned());
        assert_eq!(text.leaving(true), "\u{1b}[1;31mx\u{1b}[0m\\u{1b}[2Jy\\u{1b}\n");
    }

    #[test]
    fn lines_are_broken_at_spaces_outside_of_backticks() {
        let mut text = Text::from("  one two ");
        text.paint(Style::Bold, "three `four five` six\n").push("short\nunbreakable-word-of-length  end");
        assert_eq!(
            text.wrapped(16).leaving(false),
            "  one two three\n      `four five`\n      six\nshort\nunbreakable-word-of-length\n    end\n"
        );
        assert_eq!(text.wrapped(16).leaving(true).matches("\u{1b}[1m").count(), 3);
        assert_eq!(text.wrapped(80), text);
    }

    #[test]
    fn words_of_others_stay_on_one_line() {
        assert_eq!(escaped("a\nb\u{1b}"), "a\\nb\\u{1b}");
    }
}
