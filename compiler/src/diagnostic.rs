//! What the compiler says, at its places in text, and how it shows a user's words.

use lrpc_schema::diagnostic::{self, Spot, is_hidden};
pub(crate) use lrpc_schema::diagnostic::{Code, Page, Severity};

/// One finding about text.
pub type Diagnostic = diagnostic::Diagnostic<Spot>;

/// The order of reports: by file name, then by place, then by code.
pub(crate) fn sort_key(diagnostic: &Diagnostic) -> impl Ord + '_ {
    let place = diagnostic.primary.as_ref().map(|label| {
        let Spot { source, span } = &label.at;
        (&**source.name(), span.start, span.end)
    });
    (place, diagnostic.code, &diagnostic.message)
}

/// The page of the diagnostic whose file this stands in.
macro_rules! page {
    ($code:literal, $severity:ident, since $since:literal, $summary:literal) => {
        $crate::diagnostic::Page {
            code: $crate::diagnostic::Code::new($code),
            severity: $crate::diagnostic::Severity::$severity,
            summary: $summary,
            since: $since,
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
