//! L2, R9: with several ports on either side, frontend and backend ports are joined by name.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("missing-port-name", Error, since "0.1.0", "one of several ports has no name");

pub(crate) fn report(source: &Source, at: Span, path: &str) -> Diagnostic {
    PAGE.report(format!("`{path}.name` is missing where several ports are listed"))
        .at(source, at, "this port needs a name")
        .help("give it the name of the port on the other side that it belongs to")
}
