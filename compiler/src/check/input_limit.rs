//! Limits that no honest manifest reaches, so that a hostile one costs neither the memory nor the minute.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("input-limit", Error, "a file is larger or deeper than lrpc reads");

/// Problems of one file that are listed.
pub(crate) const PROBLEMS: usize = 10_000;

pub(crate) fn too_long(source: &Source, bytes: usize) -> Diagnostic {
    let (name, limit) = (source.name(), Source::MAX_BYTES);
    PAGE.report(format!("`{name}` has {bytes} bytes, more than the {limit} that are read"))
        .at(source, Span::default(), "")
        .help("split the file at `---`")
}

pub(crate) fn too_deep(source: &Source, at: usize) -> Diagnostic {
    PAGE.report("a document is nested deeper than 255 levels")
        .at(source, Span::new(at, at), "one level too many")
        .help("no policy needs more than ten levels; remove the document")
}

pub(crate) fn alias_bomb(source: &Source, span: Span) -> Diagnostic {
    PAGE.report("the aliases of a document repeat more than 100000 values")
        .at(source, span, "this alias is one too many")
        .help("write the values out, or split the document")
}

pub(crate) fn too_many_problems(source: &Source, span: Span) -> Diagnostic {
    PAGE.report(format!("`{}` has more than {PROBLEMS} problems", source.name()))
        .at(source, span, "the file was not read further")
        .help("mend the problems above first")
}
