//! L2: the CRD accepts `010`, and the agent reads it as port 8; `08` it cannot read at all.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("port-octal", Error, "a port with a leading zero, which Cilium reads as octal");

/// `port` is all digits and begins with a zero.
pub(crate) fn report(source: &Source, span: Span, port: &str) -> Diagnostic {
    let decimal = port.trim_start_matches('0');
    let octal = u32::from_str_radix(decimal, 8).ok().filter(|octal| *octal <= 65535);
    let (label, help) = match octal {
        Some(octal) => (
            format!("{decimal} to a reader, {octal} to Cilium"),
            format!("write `\"{decimal}\"`, or `\"{octal}\"` if the octal reading is meant"),
        ),
        None => (format!("{decimal} to a reader, no number to Cilium"), format!("write `\"{decimal}\"`")),
    };
    PAGE.report(format!("the port {} has two readings", shown(port))).at(source, span, label).help(help)
}
