//! Limits that no honest manifest reaches, so that a hostile one costs neither the memory nor the minute.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("input-limit", Error, since "0.1.0", "a file is larger or deeper than lrpc reads");

/// Values that aliases may add to one document: real manifests add dozens, an alias bomb billions.
pub(crate) const ALIASED: usize = 100_000;
/// Values of one document: a `List` of 10,000 policies as the API server returns them.
pub(crate) const VALUES: usize = 1_000_000;
/// Events of one file: three times those of 25,000 policies.
pub(crate) const EVENTS: usize = 3_000_000;
/// Problems of one file that are listed.
pub(crate) const PROBLEMS: usize = 10_000;

pub(crate) fn too_long(source: &Source) -> Diagnostic {
    let (name, limit) = (source.name(), Source::MAX_BYTES);
    PAGE.report(format!("`{name}` is longer than the {limit} bytes that are read"))
        .at(source, Span::default(), "")
        .help("split the file at `---`")
}

pub(crate) fn too_deep(source: &Source, at: usize) -> Diagnostic {
    PAGE.report("a document is nested deeper than 255 levels")
        .at(source, Span::new(at, at), "one level too many")
        .help("no policy needs more than ten levels; remove the document")
}

pub(crate) fn alias_bomb(source: &Source, span: Span) -> Diagnostic {
    PAGE.report(format!("the aliases of a document repeat more than {ALIASED} values"))
        .at(source, span, "this alias is one too many")
        .help("write the values out, or split the document")
}

pub(crate) fn too_large(source: &Source, span: Span) -> Diagnostic {
    PAGE.report(format!("a document has more than {VALUES} values"))
        .at(source, span, "one value too many")
        .help("split the document at `---`")
}

pub(crate) fn too_many(source: &Source, span: Span) -> Diagnostic {
    PAGE.report(format!("`{}` has more than {EVENTS} documents, values and comments", source.name()))
        .at(source, span, "the file was not read further")
        .help("split the file at `---`")
}

pub(crate) fn too_many_problems(source: &Source, span: Span) -> Diagnostic {
    PAGE.report(format!("`{}` has more than {PROBLEMS} problems", source.name()))
        .at(source, span, "the file was not read further")
        .help("mend the problems above first")
}
