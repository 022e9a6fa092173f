//! Multicast, broadcast and unspecified addresses are nothing that a socket connects to.

use crate::diagnostic::{Diagnostic, Page, page};
use std::net::{IpAddr, Ipv4Addr};

use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("unusable-address", Error, since "0.1.0", "no connection can be redirected from this address");

pub(crate) fn check(source: &Source, span: Span, address: IpAddr) -> Option<Diagnostic> {
    let what = if address.is_unspecified() {
        "the unspecified address"
    } else if address.is_multicast() {
        "a multicast address"
    } else if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        "the broadcast address"
    } else {
        return None;
    };
    Some(
        PAGE.report(format!("`{address}` is {what}, which cannot be redirected"))
            .at(source, span, what)
            .help("name the address that the clients connect to"),
    )
}
