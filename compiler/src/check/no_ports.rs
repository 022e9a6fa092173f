//! An address needs ports to catch, and every backend a port to serve; with an empty backend list the agent of 1.20.2 panics.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("no-ports", Error, since "0.1.0", "a list of ports is empty");

pub(crate) fn report(source: &Source, at: Span, path: &str) -> Diagnostic {
    PAGE.report(format!("`{path}` lists no port"))
        .at(source, at, "empty")
        .help("add a port, for example `{port: \"80\", protocol: TCP}`")
}
