//! A frontend is an address or a Service; the agent ignores a policy that says both.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("both-matchers", Error, since "0.1.0", "a policy has an address matcher and a service matcher");

pub(crate) fn report(source: &Source, address: Span, service: Span) -> Diagnostic {
    PAGE.report("`spec.redirectFrontend` has both matchers")
        .at(source, address.max(service), "one matcher too many")
        .related(source, address.min(service), "the other one")
        .help("keep one of the two, or write two policies")
}
