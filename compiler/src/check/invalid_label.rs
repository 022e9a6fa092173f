//! No pod can have such a label, so the selector would never match; the API server refuses it.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("invalid-label", Error, since "0.1.0", "a label's key or value in a selector is not one that Kubernetes allows");

pub(crate) fn key(source: &Source, span: Span, key: &str) -> Diagnostic {
    let message = match key {
        "" => "the key of a label is empty".to_owned(),
        _ => format!("{} cannot be the key of a label", shown(key)),
    };
    PAGE.report(message)
        .at(source, span, "not a label key")
        .help("use at most 63 letters, digits, `-`, `_` and `.`, if need be after a DNS name and `/`")
}

pub(crate) fn value(source: &Source, span: Span, value: &str) -> Diagnostic {
    PAGE.report(format!("{} cannot be the value of a label", shown(value)))
        .at(source, span, "not a label value")
        .help("use at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at each end")
}
