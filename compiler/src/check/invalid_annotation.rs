//! The values are those of L5 (fallback), L6 (clients), L7 (nodes), L15 (backend-address) and L1 (shadow-service).

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::names::nearest;
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("invalid-annotation", Error, since "0.1.0", "an annotation of lrpc has a value that it cannot have");

/// A value that is none of the words that the annotation takes.
pub(crate) fn report(source: &Source, span: Span, key: &str, value: &str) -> Diagnostic {
    let words = words(key);
    let help = match nearest(value, words.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => one_of(words),
    };
    let message = match value {
        "" => format!("`{key}` is empty"),
        _ => format!("`{key}` cannot be {}", shown(value)),
    };
    PAGE.report(message).at(source, span, "no such value").help(help)
}

/// The words that an annotation takes; none where it takes a selector, an address or anything at all.
pub(crate) fn words(key: &str) -> &'static [&'static str] {
    match key {
        "lrpc.dev/fallback" => &["original", "drop"],
        "lrpc.dev/clients" => &["all", "pods", "all-pods", "namespace", "selector:app=x"],
        "lrpc.dev/shadow-service" => &["true", "false"],
        _ => &[],
    }
}

/// The remedy that lists them.
pub(super) fn one_of(words: &[&str]) -> String {
    format!("one of {}", words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "))
}

/// A value whose selector cannot be read; `problem` says why.
pub(crate) fn selector(source: &Source, span: Span, key: &str, problem: &str) -> Diagnostic {
    PAGE.report(format!("the selector of `{key}` cannot be read: {problem}"))
        .at(source, span, "not a label selector")
        .help("write it as `kubectl --selector` takes it, for example `app in (a,b),tier!=web,!legacy`")
}

/// A selector that selects everything.
pub(crate) fn empty_selector(source: &Source, span: Span, key: &str) -> Diagnostic {
    PAGE.report(format!("the selector of `{key}` is empty"))
        .at(source, span, "selects everything")
        .help("leave the annotation out to select everything")
}
