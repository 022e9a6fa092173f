//! L2: the CRD accepts `010`, and the agent reads it as port 8; `08` it cannot read at all.

use super::port_not_a_number::{octal_or, readings};
use super::port_out_of_range;
use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("port-octal", Error, since "0.1.0", "a port with a leading zero, which Cilium reads as octal");

/// `port` is all digits, begins with a zero and is not 0.
pub(crate) fn report(source: &Source, span: Span, port: &str) -> Diagnostic {
    let is_port = |number: &u64| (1..=65535).contains(number);
    let decimal = readings(port).first().copied().unwrap_or_default();
    let octal = u64::from_str_radix(port, 8).ok().filter(is_port);
    let two = format!("the port {} has two readings", shown(port));
    let (message, label, help) = match (is_port(&decimal), octal) {
        (false, None) => return port_out_of_range::report(source, span, port),
        (true, Some(octal)) if octal == decimal => (
            format!("the port {} has a leading zero", shown(port)),
            "read as octal".to_owned(),
            format!("write `\"{decimal}\"`"),
        ),
        (true, Some(octal)) => {
            (two, format!("{decimal} to a reader, {octal} to Cilium"), octal_or(decimal, octal))
        }
        (false, Some(octal)) => (
            two,
            format!("{decimal} to a reader, which is no port, {octal} to Cilium"),
            format!("write `\"{octal}\"`"),
        ),
        (true, None) => (
            two,
            format!("{decimal} to a reader; Cilium reads octal, fails and ignores the policy"),
            format!("write `\"{decimal}\"`"),
        ),
    };
    PAGE.report(message).at(source, span, label).help(help)
}
