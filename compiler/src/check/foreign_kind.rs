//! `--strict-kinds`: a document of another kind, or without one, is an error instead of being counted.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("foreign-kind", Error, "a document is no policy, and only policies are allowed");

/// `kind` is the place of the document's kind, or of the document where it has none.
pub(crate) fn report(source: &Source, kind: Option<Span>, document: Span) -> Diagnostic {
    let diagnostic = match kind {
        Some(kind) => PAGE.report(format!("a document has the kind {}", shown(source.slice(kind)))).at(
            source,
            kind,
            "no `CiliumLocalRedirectPolicy`",
        ),
        None => PAGE.report("a document has no kind").at(source, document, "no `CiliumLocalRedirectPolicy`"),
    };
    diagnostic.help("move it to a file that is not given to lrpc, or leave out `--strict-kinds`")
}
