//! Cuts a stream into its documents and says in which syntax each of them is written.
//!
//! Documents are separated as in YAML, by a line that begins with `---` or `...`: no JSON text has such a line,
//! and within a document YAML forbids it. So one file may hold documents of both syntaxes, in any order.

use std::io::{self, BufRead, Read};

/// What a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Json,
    Yaml,
}

/// The documents of a stream. Read as a stream itself, it ends where the document does.
pub(super) struct Documents<R> {
    reader: R,
    /// A line, or the piece of a line that is too long to be held.
    piece: Vec<u8>,
    /// How much of the piece has been read.
    at: usize,
    /// Lines before the piece.
    lines: u64,
    /// The next piece begins a line.
    begins_line: bool,
    /// The piece begins with a mark between documents.
    is_marked: bool,
    /// The stream has no more pieces.
    is_over: bool,
}

/// The longest piece.
const PIECE: usize = 64 << 10;
/// Length of a mark between documents.
const MARK: usize = 3;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<R: BufRead> Documents<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            piece: Vec::new(),
            at: 0,
            lines: 0,
            begins_line: true,
            is_marked: true,
            is_over: false,
        }
    }

    /// Goes to the next document that is not empty, over what is left of the one before.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub(super) fn advance(&mut self) -> io::Result<Option<Syntax>> {
        while !self.is_marked && !self.is_over {
            self.refill()?;
        }
        while !self.is_over {
            if self.is_marked {
                self.is_marked = false;
            } else if self.rest().starts_with(BYTE_ORDER_MARK) {
                self.at += BYTE_ORDER_MARK.len();
            }
            match first(self.rest()) {
                None => self.refill()?,
                Some(b'#') => self.skip_line()?,
                Some(b'%') if self.at == 0 => self.skip_line()?,
                Some(b'{' | b'[') => return self.syntax().map(Some),
                Some(_) => return Ok(Some(Syntax::Yaml)),
            }
        }
        Ok(None)
    }

    /// Lines before the place that is read next.
    pub(super) fn lines(&self) -> u64 {
        self.lines + newlines(self.piece.get(..self.at).unwrap_or_default())
    }

    fn rest(&self) -> &[u8] {
        self.piece.get(self.at..).unwrap_or_default()
    }

    /// The syntax of a document that begins with a bracket: in JSON the first key or value in them is quoted,
    /// or there is none.
    fn syntax(&mut self) -> io::Result<Syntax> {
        let is_bracket = |byte: &u8| b"{[".contains(byte) || byte.is_ascii_whitespace();
        loop {
            match self.rest().iter().find(|byte| !is_bracket(byte)) {
                Some(b'"' | b'}' | b']') => return Ok(Syntax::Json),
                Some(_) => return Ok(Syntax::Yaml),
                None => {
                    if self.piece.len() >= PIECE || self.take()? == 0 {
                        return Ok(Syntax::Json);
                    }
                }
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while !self.piece.ends_with(b"\n") && !self.is_over {
            self.refill()?;
        }
        self.refill()
    }

    /// Replaces the piece by the next one.
    fn refill(&mut self) -> io::Result<()> {
        self.lines += newlines(&self.piece);
        self.piece.clear();
        self.at = 0;
        let begins_line = self.begins_line;
        self.is_over = self.take()? == 0;
        self.is_marked = begins_line && is_mark(&self.piece);
        if self.is_marked {
            self.at = MARK;
        }
        Ok(())
    }

    /// Adds to the piece.
    fn take(&mut self) -> io::Result<usize> {
        let taken = (&mut self.reader).take(PIECE as u64).read_until(b'\n', &mut self.piece)?;
        self.begins_line = self.piece.ends_with(b"\n");
        Ok(taken)
    }
}

impl<R: BufRead> Read for Documents<R> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && !self.is_over && !self.is_marked {
            self.refill()?;
        }
        if self.is_over || self.is_marked {
            return Ok(0);
        }
        let read = self.rest().read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// The first byte that is not blank.
fn first(bytes: &[u8]) -> Option<u8> {
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

fn is_mark(line: &[u8]) -> bool {
    let rest = line.strip_prefix(b"---").or_else(|| line.strip_prefix(b"..."));
    rest.is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(text: &str) -> Vec<(Syntax, u64, String)> {
        let mut documents = Documents::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(syntax) = documents.advance().unwrap() {
            let line = documents.lines();
            let mut text = String::new();
            documents.read_to_string(&mut text).unwrap();
            found.push((syntax, line, text));
        }
        found
    }

    #[test]
    fn documents_of_both_syntaxes() {
        use Syntax::{Json, Yaml};
        for (text, expected) in [
            ("", vec![]),
            ("# nothing\n---\n\n---\n...\n", vec![]),
            ("a: 1\n", vec![(Yaml, 0, "a: 1\n")]),
            ("\u{feff}a: 1", vec![(Yaml, 0, "a: 1")]),
            ("  a: 1\n  b: 2\n", vec![(Yaml, 0, "  a: 1\n  b: 2\n")]),
            ("%YAML 1.2\n---\na: 1\n", vec![(Yaml, 2, "a: 1\n")]),
            ("--- # one\na: 1\n--- {b: 2}\n", vec![(Yaml, 1, "a: 1\n"), (Yaml, 2, " {b: 2}\n")]),
            ("a: |\n  ---\n ...\n----\n", vec![(Yaml, 0, "a: |\n  ---\n ...\n----\n")]),
            ("{}\n{}\n---\r\na: 1\n", vec![(Json, 0, "{}\n{}\n"), (Yaml, 3, "a: 1\n")]),
            ("a: 1\n---\n{\n\n \"b\": 2}", vec![(Yaml, 0, "a: 1\n"), (Json, 2, "{\n\n \"b\": 2}")]),
            ("[{a: 1}]\n---\n[{\"a\": 1}]\n", vec![(Yaml, 0, "[{a: 1}]\n"), (Json, 2, "[{\"a\": 1}]\n")]),
            ("a: 1\n...\n# two\nb: 2\n", vec![(Yaml, 0, "a: 1\n"), (Yaml, 3, "b: 2\n")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(syntax, line, text)| (syntax, line, text.to_owned())).collect();
            assert_eq!(documents(text), expected, "{text:?}");
        }
    }

    /// A line longer than a piece is one line all the same, and what is not read is skipped.
    #[test]
    fn long_lines() {
        let long = "x".repeat(3 * PIECE);
        let text = format!("# {long}\n---\na: {long}---\n---\nb: 1\n");
        let read: Vec<usize> = documents(&text).iter().map(|(_, _, text)| text.len()).collect();
        assert_eq!(read, [long.len() + 7, 5]);
        let mut unread = Documents::new(text.as_bytes());
        assert_eq!(unread.advance().unwrap(), Some(Syntax::Yaml));
        assert_eq!(unread.advance().unwrap(), Some(Syntax::Yaml));
        assert_eq!(unread.lines(), 4);
        assert_eq!(unread.advance().unwrap(), None);
    }
}
