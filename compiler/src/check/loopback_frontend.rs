//! Each pod has a loopback of its own, and host processes use it for much else.

use crate::diagnostic::{Diagnostic, Page, page};
use std::net::IpAddr;

use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("loopback-frontend", Warning, since "0.1.0", "a frontend address is a loopback address");

pub(crate) fn check(source: &Source, span: Span, address: IpAddr) -> Option<Diagnostic> {
    address.is_loopback().then(|| {
        PAGE.report(format!("the frontend `{address}` is a loopback address"))
            .at(source, span, "every pod and the host have their own")
            .help("use an address that nothing else owns, such as one of 169.254.0.0/16")
    })
}
