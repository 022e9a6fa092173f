//! `{}` selects everything: any ready pod of the namespace on the node would serve the frontend.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("empty-selector", Warning, since "0.1.0", "a backend selector selects every pod of the namespace");

pub(crate) fn report(source: &Source, span: Span) -> Diagnostic {
    PAGE.report("`spec.redirectBackend.localEndpointSelector` selects every pod of the namespace")
        .at(source, span, "empty")
        .help("select the agent's pods by a label, for example `matchLabels: {app: agent}`")
}
