//! `--strict-kinds`: a document of another kind, or without one, is an error instead of being counted.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("foreign-kind", Error, since "0.1.0", "a document is no policy, and only policies are allowed");

/// `kind` is the place of the document's kind, or of the document where it has none.
pub(crate) fn report(source: &Source, kind: Option<Span>, document: Span) -> Diagnostic {
    let message = match kind {
        Some(kind) => format!("a document of kind {} is no policy", shown(source.slice(kind))),
        None => "a document without `kind` is no policy".to_owned(),
    };
    PAGE.report(message)
        .at(source, kind.unwrap_or(document), "not a `CiliumLocalRedirectPolicy`")
        .help("move it to a file that is not given to lrpc, or leave out `--strict-kinds`")
}
