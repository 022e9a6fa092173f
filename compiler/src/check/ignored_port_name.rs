//! L2: with one port the name is never used, so nobody notices until a second port is added.

use super::invalid_port_name::SYNTAX;
use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("ignored-port-name", Warning, since "0.1.0", "the name of an only port is not an IANA service name");

pub(crate) fn report(source: &Source, span: Span, name: &str) -> Diagnostic {
    let message = match name {
        "" => "the name of an only port is empty".to_owned(),
        _ => format!("the name {} of an only port is ignored", shown(name)),
    };
    PAGE.report(message)
        .at(source, span, "not an IANA service name")
        .help(format!("leave it out, or {SYNTAX}"))
}
