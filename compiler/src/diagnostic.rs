//! What a finding is: data with a code, a headline, places and a remedy. `cli` turns it into text.

use std::fmt;
use std::ops::Range;

use lrpc_schema::image::PolicyName;

use crate::source::{Source, Span};

/// How much a diagnostic matters. Errors stop the compile and cannot be silenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy set cannot be compiled.
    Error,
    /// The policy set compiles, and something in it is probably not meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place in a manifest with a word on what is there.
#[derive(Clone, Debug)]
pub struct Label {
    /// The manifest.
    pub source: Source,
    /// The bytes meant.
    pub span: Range<usize>,
    /// What is there; may be empty.
    pub message: String,
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The stable code, a key of [`PAGES`](crate::PAGES).
    pub code: &'static str,
    /// How much it matters, after `[severity]` of `lrpc.toml`.
    pub severity: Severity,
    /// The headline: one line that stands alone.
    pub message: String,
    /// The policy that it is about, where one is known.
    pub policy: Option<PolicyName>,
    /// Where it is.
    pub primary: Option<Label>,
    /// Other places that it is about, in any file.
    pub related: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// Its place in the list that [`Examined::settle`](crate::Examined::settle) was given; `None` for the
    /// compiler's own.
    pub given: Option<usize>,
}

impl Diagnostic {
    pub(crate) fn at(mut self, source: &Source, span: Span, message: impl Into<String>) -> Self {
        self.primary = Some(Label { source: source.clone(), span: span.range(), message: message.into() });
        self
    }

    pub(crate) fn related(mut self, source: &Source, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Label { source: source.clone(), span: span.range(), message: message.into() });
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Line and column of the primary place.
    pub fn line_and_column(&self) -> Option<(u32, u32)> {
        let primary = self.primary.as_ref()?;
        let position = primary.source.position(primary.span.start);
        Some((position.line, position.column))
    }

    /// The order of reports: by file name, then by place, then by code.
    pub(crate) fn sort_key(&self) -> impl Ord + '_ {
        let place =
            self.primary.as_ref().map(|label| (&**label.source.name(), label.span.start, label.span.end));
        (place, self.code, &self.message)
    }
}

/// The manual page of a diagnostic.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The stable code.
    pub code: &'static str,
    /// How much it matters unless `lrpc.toml` says otherwise.
    pub severity: Severity,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The page in Markdown.
    pub page: &'static str,
}

impl Page {
    /// A finding of this kind with its headline.
    pub(crate) fn report(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code: self.code,
            severity: self.severity,
            message: message.into(),
            policy: None,
            primary: None,
            related: Vec::new(),
            help: None,
            given: None,
        }
    }
}

/// The page of the diagnostic whose file this stands in.
macro_rules! page {
    ($code:literal, $severity:ident, $summary:literal) => {
        $crate::diagnostic::Page {
            code: $code,
            severity: $crate::diagnostic::Severity::$severity,
            summary: $summary,
            page: include_str!(concat!("../../diagnostics/", $code, ".md")),
        }
    };
}
pub(crate) use page;

/// Characters of a user's text that a headline shows at most.
const SHOWN: usize = 64;

/// A user's text as a headline shows it: in backticks, on one line, and cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(SHOWN) + 2);
    out.push('`');
    let mut characters = text.chars();
    for character in characters.by_ref().take(SHOWN) {
        match character {
            '`' => out.push('\''),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            hidden if is_hidden(hidden) => out.extend(hidden.escape_unicode()),
            plain => out.push(plain),
        }
    }
    if characters.next().is_some() {
        out.push('…');
    }
    out.push('`');
    out
}

/// A character that a terminal does not show, or that turns the text around it: marks, zero widths, and
/// changes of direction.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        assert_eq!(shown("\u{feff}kind\u{202e}"), "`\\u{feff}kind\\u{202e}`");
    }

    #[test]
    fn user_text_stays_on_one_line() {
        assert_eq!(shown("a`b\nc\u{7}"), "`a'b\\nc\\u{7}`");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), SHOWN + 3);
    }
}
