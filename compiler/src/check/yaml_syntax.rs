//! A document that the YAML parser refuses. The documents behind the next `---` are checked all the same.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};
use crate::template;

pub(crate) const PAGE: Page = page!("yaml-syntax", Error, since "0.1.0", "a text is not YAML");

pub(crate) fn report(source: &Source, at: usize, reason: &str) -> Diagnostic {
    if let Some(mark) = byte_order_mark(source, at) {
        return PAGE
            .report("not YAML: a byte order mark stands inside a document")
            .at(source, mark, "an invisible U+FEFF")
            .help("remove the character: it may stand at the start of a file only");
    }
    let line = source.position(at).line;
    let around = |line: u32| source.text().get(source.line_range(line)).unwrap_or_default();
    let help = if template::is_in(around(line)) || template::is_in(around(line.saturating_sub(1))) {
        template::REMEDY
    } else if around(line).contains('\t') {
        "indent with spaces: YAML allows no tabs there"
    } else {
        "compare the indentation, quotes and brackets of this line with the line above"
    };
    let reason = reason
        .strip_prefix("while ")
        .map_or(reason, |rest| rest.split_once(", ").map_or(rest, |(_, what)| what));
    PAGE.report(format!("not YAML: {reason}")).at(source, Span::new(at, at), "here").help(help)
}

/// The mark that the parser stopped at or behind.
fn byte_order_mark(source: &Source, at: usize) -> Option<Span> {
    const MARK: char = '\u{feff}';
    let (before, behind) = (source.text().get(..at)?, source.text().get(at..)?);
    if behind.starts_with(MARK) {
        return Some(Span::new(at, at + MARK.len_utf8()));
    }
    before.ends_with(MARK).then(|| Span::new(at - MARK.len_utf8(), at))
}

pub(crate) fn recursive_alias(source: &Source, span: Span) -> Diagnostic {
    PAGE.report(format!("the alias {} is part of the value that it names", shown(source.slice(span))))
        .at(source, span, "used inside its own anchor")
        .help("write the value out")
}
