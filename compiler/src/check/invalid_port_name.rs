//! L2: where several ports are told apart by name, the agent ignores a policy with such a name.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("invalid-port-name", Error, since "0.1.0", "the name of a port is not an IANA service name");

/// What a port may be called, for this rule and `ignored-port-name`.
pub(crate) const SYNTAX: &str =
    "use 1 to 15 letters, digits and single `-` between them, with at least one letter";

pub(crate) fn report(source: &Source, span: Span, name: &str) -> Diagnostic {
    let message = match name {
        "" => "the name of a port is empty".to_owned(),
        _ => format!("{} cannot be the name of a port", shown(name)),
    };
    PAGE.report(message).at(source, span, "not an IANA service name").help(SYNTAX)
}
