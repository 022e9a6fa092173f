//! Without it the API server refuses the policy, or the agent logs a line on each node and ignores it.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("missing-field", Error, since "0.1.0", "a field that every policy needs is not there");

/// A document that holds policies and does not say so: kubectl writes the `kind` of a list behind its items.
pub(crate) fn of_document(source: &Source, document: Span, is_list: bool) -> Diagnostic {
    let report = PAGE.report("`kind` is missing").at(source, document, "what this is, is not said");
    if is_list {
        report.help("the end of the list was cut off, or lost its `kind: List`: dump it again, or add it")
    } else {
        report.help("add `kind: CiliumLocalRedirectPolicy`")
    }
}

/// `at` is the place of the object that lacks the field.
pub(crate) fn report(source: &Source, at: Span, path: &str, example: &str) -> Diagnostic {
    PAGE.report(format!("`{path}` is missing"))
        .at(source, at, "the field belongs in here")
        .help(format!("add it, for example `{example}`"))
}
