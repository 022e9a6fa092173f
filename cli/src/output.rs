//! The only door to the terminal: results go to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::exit::Failure;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

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
}

impl Output {
    pub(crate) fn new(color: Color) -> Self {
        Self { color }
    }

    /// Whether results are coloured.
    pub(crate) fn colors_results(self) -> bool {
        self.colors(io::stdout().is_terminal())
    }

    /// Whether messages are coloured.
    pub(crate) fn colors_messages(self) -> bool {
        self.colors(io::stderr().is_terminal())
    }

    fn colors(self, terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Prints a result, with a line end where it has none.
    ///
    /// # Errors
    /// When standard output cannot be written; a reader that closed its pipe has seen enough and is none.
    pub(crate) fn result(self, text: &str) -> Result<(), Failure> {
        seen(write_text(&mut io::stdout().lock(), text))
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
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::new("the result is not JSON").because(&error))?;
        self.result(&text)
    }

    /// Prints a message beside the result. A standard error that cannot be written has nowhere to say so.
    pub(crate) fn message(self, text: &str) {
        let _ = write_text(&mut io::stderr().lock(), text);
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

fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    if !text.is_empty() && !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}
