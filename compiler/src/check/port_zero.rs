//! There is no port 0: the agent refuses it.

use super::port_not_a_number::RANGE;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("port-zero", Error, since "0.1.0", "a port is 0");

pub(crate) fn report(source: &Source, span: Span) -> Diagnostic {
    PAGE.report("there is no port 0").at(source, span, "not a port").help(RANGE)
}
