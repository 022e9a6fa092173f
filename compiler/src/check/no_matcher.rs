//! A policy without a matcher catches nothing; the agent ignores it.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("no-matcher", Error, since "0.1.0", "a policy has neither an address matcher nor a service matcher");

pub(crate) fn report(source: &Source, at: Span) -> Diagnostic {
    PAGE.report("`spec.redirectFrontend` has no matcher")
        .at(source, at, "says nothing about what to redirect")
        .help("add `addressMatcher` for an address or `serviceMatcher` for a Service")
}
