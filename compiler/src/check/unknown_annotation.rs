//! A slip in an annotation would silently leave the policy with its defaults (L5, L6, L7, L15).

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::names::nearest;
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("unknown-annotation", Error, since "0.1.0", "an annotation of lrpc that does not exist");

pub(crate) fn report(source: &Source, span: Span, key: &str, known: &[&str]) -> Diagnostic {
    let help = match nearest(key, known.iter().copied()) {
        Some(annotation) => format!("did you mean `{annotation}`?"),
        None => {
            format!("known are {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "))
        }
    };
    PAGE.report(format!("there is no annotation {}", shown(key)))
        .at(source, span, "unknown annotation")
        .help(help)
}
