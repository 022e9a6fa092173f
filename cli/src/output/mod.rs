//! The only door to the terminal: results go to standard output, everything else to standard error.
//!
//! INVARIANT: nothing leaves but through here, and no control character of anybody's words leaves raw: words
//! are [`Text`] or JSON. The bytes of an image, which no terminal is meant to see, are the one exception.

mod table;
mod terminal;
mod text;

use std::io::{self, BufWriter, Write};

use clap::ValueEnum;
use lrpc_schema::diagnostic::is_hidden;
use serde::Serialize;

pub(crate) use self::table::{Cell, Column, Keep, Table};
pub(crate) use self::terminal::{Color, Terminal};
pub(crate) use self::text::{Style, Text, escaped};
use crate::exit::Failure;

/// How a command prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// For programs; its shape is a promise
    Json,
}

/// Standard output and error, and whether they are coloured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    color: Color,
    quiet: bool,
}

impl Output {
    /// The streams of this process; `quiet` leaves out what is only good to know.
    pub(crate) fn new(color: Color, quiet: bool) -> Self {
        Self { color, quiet }
    }

    /// Where results go.
    pub(crate) fn results(self) -> Terminal {
        let stream = io::stdout();
        let width = terminal::width(terminal_size::terminal_size_of(&stream));
        Terminal { colors: self.color.on(&stream), width }
    }

    /// Where messages go.
    pub(crate) fn messages(self) -> Terminal {
        let stream = io::stderr();
        let width = terminal::width(terminal_size::terminal_size_of(&stream));
        Terminal { colors: self.color.on(&stream), width }
    }

    /// How long the lines of a result may be; `None` where nobody says, as in a file or a pipe.
    pub(crate) fn line_width(self) -> Option<usize> {
        terminal::known_width(terminal_size::terminal_size_of(io::stdout()))
    }

    /// Prints a result.
    ///
    /// # Errors
    /// When standard output cannot be written; a reader that closed its pipe has seen enough and is none.
    pub(crate) fn result(self, text: impl Into<Text>) -> Result<(), Failure> {
        let text = text.into();
        let mut out = BufWriter::new(io::stdout().lock());
        seen(text.leave(&mut out, self.color.on(&io::stdout())).and_then(|()| out.flush()))
    }

    /// Prints a result for people, in lines no longer than the terminal is wide. Where nobody says how wide that
    /// is, in a file or a pipe, lines stay whole.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub(crate) fn prose(self, text: impl Into<Text>) -> Result<(), Failure> {
        let text = text.into();
        match self.line_width() {
            Some(width) => self.result(text.wrapped(width)),
            None => self.result(text),
        }
    }

    /// Prints a result that is no text.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        seen(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Prints a value as JSON.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub(crate) fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::new("the result is not JSON").because(&error))?;
        text.push('\n');
        self.bytes(in_sight(text).as_bytes())
    }

    /// Prints each value as JSON on a line of its own.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub(crate) fn json_lines(self, values: &[impl Serialize]) -> Result<(), Failure> {
        let mut text = String::new();
        for value in values {
            text += &serde_json::to_string(value)
                .map_err(|error| Failure::new("the result is not JSON").because(&error))?;
            text.push('\n');
        }
        self.bytes(in_sight(text).as_bytes())
    }

    /// Prints what is only good to know: a summary, a count.
    pub(crate) fn note(self, text: impl Into<Text>) {
        if !self.quiet {
            self.message(text);
        }
    }

    /// Prints a message beside the result. A standard error that cannot be written has nowhere to say so.
    pub(crate) fn message(self, text: impl Into<Text>) {
        let mut out = BufWriter::new(io::stderr().lock());
        let text = text.into();
        let text = match terminal::known_width(terminal_size::terminal_size_of(io::stderr())) {
            Some(width) => text.wrapped(width),
            None => text,
        };
        let _ = text.leave(&mut out, self.color.on(&io::stderr())).and_then(|()| out.flush());
    }
}

fn seen(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new("standard output cannot be written").because(&error))
        }
        _ => Ok(()),
    }
}

/// The same JSON with the characters spelt out that a reader would not see; outside of strings it has none but
/// line ends.
pub(crate) fn in_sight(json: String) -> String {
    let is_spelt = |character: char| is_hidden(character) && character != '\n';
    // Most output is plain ASCII, which is told at several bytes a cycle.
    let is_plain = |byte: &u8| matches!(byte, b'\n' | b' '..=b'~');
    if json.as_bytes().iter().all(is_plain) || !json.contains(is_spelt) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_spelt(character) {
            let mut units = [0; 2];
            out.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_same_value_in_sight() {
        let value = "a\u{202e}\u{9b}\u{e0041}\u{1b}\n\"é";
        let json = in_sight(serde_json::to_string_pretty(&[value]).unwrap());
        assert!(json.contains("\\u202e\\u009b\\udb40\\udc41\\u001b\\n"), "{json}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), [value]);
    }
}
