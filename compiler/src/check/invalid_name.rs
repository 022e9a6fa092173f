//! Names of policies, namespaces and Services are DNS names; no object with another name can exist.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("invalid-name", Error, "the name of an object is not one that Kubernetes allows");

pub(crate) fn report(source: &Source, span: Span, path: &str, name: &str, longest: usize) -> Diagnostic {
    PAGE.report(format!("`{path}` cannot be {}", shown(name)))
        .at(source, span, "no name of a Kubernetes object")
        .help(format!(
            "use at most {longest} lower-case letters, digits and `-`, with a letter or digit at each end"
        ))
}
