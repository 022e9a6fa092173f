//! Names of policies, namespaces and Services are DNS names; no object with another name can exist.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("invalid-name", Error, since "0.1.0", "the name of an object is not one that Kubernetes allows");

/// `dots` where the name may have several parts.
pub(crate) fn report(source: &Source, span: Span, path: &str, name: &str, dots: bool) -> Diagnostic {
    let message = match name {
        "" => format!("`{path}` is empty"),
        _ => format!("`{path}` cannot be {}", shown(name)),
    };
    let help = if dots {
        "use at most 253 lower-case letters, digits, `-` and `.`, with a letter or digit at each end \
             and beside each `.`"
    } else {
        "use at most 63 lower-case letters, digits and `-`, with a letter or digit at each end"
    };
    PAGE.report(message).at(source, span, "no name of a Kubernetes object").help(help)
}
