//! The only door to the terminal: results go to standard output, everything else to standard error.
//!
//! INVARIANT: nothing leaves but through here, and no control character of anybody's words leaves raw: words
//! are [`Text`] or JSON. The bytes of an image, which no terminal is meant to see, are the one exception.

mod in_sight;
mod table;
mod terminal;
mod text;
mod words;

use std::io::{self, BufWriter, Write};
#[cfg(target_os = "linux")]
use std::ops::ControlFlow;

use clap::ValueEnum;
use serde::Serialize;

use self::in_sight::InSight;
pub(crate) use self::in_sight::in_sight;
pub(crate) use self::table::{Cell, Column, Keep, Table};
pub(crate) use self::terminal::{Color, Terminal};
pub(crate) use self::text::{Style, Text, escaped};
pub(crate) use self::words::{broken, counted, unbroken};
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
        let mut out = InSight(BufWriter::new(io::stdout().lock()));
        // As it is made, so that a large result costs no memory of its own.
        let written = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
        seen(written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
    }

    /// Prints each value as JSON on a line of its own.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub(crate) fn json_lines(self, values: &[impl Serialize]) -> Result<(), Failure> {
        let mut out = InSight(BufWriter::new(io::stdout().lock()));
        let mut line = |value| {
            serde_json::to_writer(&mut out, value)?;
            out.write_all(b"\n")
        };
        seen(values.iter().try_for_each(&mut line).and_then(|()| out.flush()))
    }

    /// Prints a value of many as JSON on a line of its own, and says whether to go on: nobody may read them any more.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    #[cfg(target_os = "linux")]
    pub(crate) fn json_line(self, value: &impl Serialize) -> Result<ControlFlow<()>, Failure> {
        let mut out = InSight(BufWriter::new(io::stdout().lock()));
        let written = serde_json::to_writer(&mut out, value).map_err(io::Error::from);
        heard(written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
    }

    /// Prints a line of many for people, and says whether to go on: nobody may read them any more.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    #[cfg(target_os = "linux")]
    pub(crate) fn line(self, text: Text) -> Result<ControlFlow<()>, Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        heard(text.leave(&mut out, self.color.on(&io::stdout())).and_then(|()| out.flush()))
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

/// What is printed piece by piece ends where its reader has gone.
#[cfg(target_os = "linux")]
fn heard(written: io::Result<()>) -> Result<ControlFlow<()>, Failure> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        written => seen(written).map(ControlFlow::Continue),
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
