//! Without it the API server refuses the policy, or the agent logs a line on each node and ignores it.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("missing-field", Error, since "0.1.0", "a field that every policy needs is not there");

/// `at` is the place of the object that lacks the field.
pub(crate) fn report(source: &Source, at: Span, path: &str, example: &str) -> Diagnostic {
    PAGE.report(format!("`{path}` is missing"))
        .at(source, at, "the field belongs in here")
        .help(format!("add it, for example `{example}`"))
}
