//! L15: loopback would be the client's own, a link-local IPv6 address needs a scope, and any other address could be anywhere.

use crate::diagnostic::{Diagnostic, Page, page};
use std::net::IpAddr;

use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("backend-address-range", Error, since "0.1.0", "a backend address that no agent of the node can have");

pub(crate) fn report(source: &Source, span: Span, address: IpAddr) -> Diagnostic {
    PAGE.report(format!("`lrpc.dev/backend-address` cannot be `{address}`"))
        .at(source, span, "outside 169.254.0.0/16 and fd00::/8")
        .help("let the agent listen on an address of 169.254.0.0/16 or fd00::/8, or leave the annotation out")
}
