//! YAML forbids it, and of two values most readers silently keep the last.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("duplicate-key", Error, since "0.1.0", "a key is written twice in one object");

pub(crate) fn report(source: &Source, key: &str, first: Span, second: Span) -> Diagnostic {
    PAGE.report(format!("the key {} is written twice", shown(key)))
        .at(source, second, "written again here")
        .related(source, first, "first written here")
        .help("remove one of the two")
}
