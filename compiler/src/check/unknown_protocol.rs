//! The CRD knows `TCP` and `UDP`, in upper case.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("unknown-protocol", Error, since "0.1.0", "a protocol is neither TCP nor UDP");

pub(crate) fn report(source: &Source, span: Span, protocol: &str) -> Diagnostic {
    let message = match protocol {
        "" => "a protocol is empty".to_owned(),
        _ => format!("{} is no protocol that can be redirected", shown(protocol)),
    };
    PAGE.report(message).at(source, span, "neither `TCP` nor `UDP`").help(help(protocol))
}

/// What to write instead of a text that is no protocol.
pub(super) fn help(protocol: &str) -> String {
    match protocol.trim().to_ascii_uppercase().as_str() {
        known @ ("TCP" | "UDP") => format!("write `{known}`"),
        "ANY" | "*" => "list the port twice, once with `TCP` and once with `UDP`".to_owned(),
        _ => "write `TCP` or `UDP`; nothing else can be redirected".to_owned(),
    }
}
