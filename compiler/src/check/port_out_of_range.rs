//! Ports have 16 bits.

use super::port_not_a_number::RANGE;
use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("port-out-of-range", Error, since "0.1.0", "a port is larger than 65535");

pub(crate) fn report(source: &Source, span: Span, port: &str) -> Diagnostic {
    PAGE.report(format!("there is no port {}", shown(port))).at(source, span, "too large").help(RANGE)
}
