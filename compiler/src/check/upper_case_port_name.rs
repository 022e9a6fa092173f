//! L2: the agent reads the name in lower case, and compares it exactly with those of Services and containers.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("upper-case-port-name", Warning, since "0.1.0", "the name of a port has upper-case letters");

pub(crate) fn report(source: &Source, span: Span, name: &str) -> Diagnostic {
    let lower = name.to_ascii_lowercase();
    PAGE.report(format!("the port name {} is read as `{lower}`", shown(name)))
        .at(source, span, "names are read in lower case")
        .help(format!("write `{lower}`"))
}
