//! `# lrpc: allow(code) reason`: silences a warning on its own line or, where the comment stands alone, on
//! the next line that holds more than a comment.

use nom::bytes::complete::{tag, take_until, take_while1};
use nom::character::complete::{char, space0};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use crate::source::{Source, Span};

/// What a comment to lrpc begins with.
pub(super) const ADDRESSEE: &str = "lrpc:";

/// Comment and empty lines that may stand between an allow and the line that it silences.
const COMMENT_LINES: usize = 100;

/// A comment that silences a warning.
#[derive(Clone, Debug)]
pub(crate) struct Allow {
    pub(crate) code: String,
    /// The whole comment.
    pub(crate) span: Span,
    /// The line on which warnings are silenced.
    pub(crate) line: u32,
}

/// What is wrong with a comment that begins with `lrpc:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It is not `allow(code)`.
    Form,
    /// No reason follows.
    Reason,
}

/// The allow in a comment (the text after `#`); `None` for a comment that is not for lrpc.
pub(crate) fn parse(source: &Source, comment: &str, span: Span) -> Option<Result<Allow, Malformed>> {
    let (rest, _) = (space0::<_, ()>, tag(ADDRESSEE), space0).parse(comment).ok()?;
    Some(match allow(rest) {
        Err(_) => Err(Malformed::Form),
        Ok((reason, _)) if !reason.contains(char::is_alphanumeric) => Err(Malformed::Reason),
        Ok((_, code)) => Ok(Allow { code: code.to_owned(), span, line: silenced_line(source, span) }),
    })
}

fn allow(text: &str) -> IResult<&str, &str> {
    let is_code = |character: char| character.is_ascii_alphanumeric() || character == '-';
    let inside = delimited(space0, take_while1(is_code), space0);
    preceded((tag("allow"), space0), delimited(char('('), inside, char(')'))).parse(text)
}

fn silenced_line(source: &Source, span: Span) -> u32 {
    let own = source.position(span.start as usize).line;
    let start = source.line_range(own).start;
    let before = source.text().get(start..span.start as usize).unwrap_or_default();
    if !before.trim().is_empty() {
        return own;
    }
    let holds_more = |line: &u32| {
        let text = source.text().get(source.line_range(*line)).unwrap_or_default().trim_start();
        !text.is_empty() && !text.starts_with('#')
    };
    (own + 1..=source.line_count()).take(COMMENT_LINES).find(holds_more).unwrap_or(own)
}

/// The code that a malformed comment was probably meant to name.
pub(crate) fn code_in(comment: &str) -> Option<&str> {
    let (rest, _) = (take_until::<_, _, ()>("("), char('(')).parse(comment).ok()?;
    rest.split(')').next().map(str::trim).filter(|code| !code.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(comment: &str) -> Option<Result<String, Malformed>> {
        let source = Source::new("a.yaml", "");
        parse(&source, comment, Span::default()).map(|result| result.map(|allow| allow.code))
    }

    #[test]
    fn an_allow_has_a_code_and_a_reason() {
        let code = Some(Ok("empty-selector".to_owned()));
        assert_eq!(parsed(" lrpc: allow(empty-selector) every pod is an agent"), code);
        assert_eq!(parsed("lrpc:allow( empty-selector ) x"), code);
        assert_eq!(parsed(" lrpc: allow(empty-selector)"), Some(Err(Malformed::Reason)));
        assert_eq!(parsed(" lrpc: allow(empty-selector) - "), Some(Err(Malformed::Reason)));
        assert_eq!(parsed(" lrpc: ignore this"), Some(Err(Malformed::Form)));
        assert_eq!(parsed(" see lrpc: allow(x) y"), None);
    }

    #[test]
    fn a_comment_of_its_own_line_silences_the_next() {
        let text = "a: b # lrpc: allow(x) y\n# lrpc: allow(x) y\n\n# more\nc: d\n";
        let source = Source::new("a.yaml", text);
        let line = |from: usize| {
            let at = from + text[from..].find('#').unwrap();
            parse(&source, " lrpc: allow(x) y", Span::new(at, at + 1)).unwrap().unwrap().line
        };
        assert_eq!((line(0), line(6)), (1, 5));
    }
}
