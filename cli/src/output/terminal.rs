//! What is known of the stream that a text goes to: whether it has colours, and how wide it is.

use std::env;
use std::io::IsTerminal;

use clap::ValueEnum;

/// Columns where nothing says how many there are.
const COLUMNS: usize = 80;
/// Fewer than these cannot hold a name and a word beside it.
const FEWEST: usize = 40;

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

impl Color {
    pub(super) fn on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                stream.is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }
}

/// What a renderer that colours or wraps by itself must know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Whether it has colours.
    pub(crate) colors: bool,
    /// How many columns it has.
    pub(crate) width: usize,
}

/// The columns: `COLUMNS`, else the terminal's, else 80.
pub(super) fn width(terminal: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    known_width(terminal).unwrap_or(COLUMNS)
}

/// The columns: `COLUMNS`, else the terminal's.
pub(super) fn known_width(terminal: Option<(terminal_size::Width, terminal_size::Height)>) -> Option<usize> {
    let said =
        env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    let seen = terminal.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
    said.or(seen).map(|width| width.max(FEWEST))
}
