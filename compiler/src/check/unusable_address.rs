//! Multicast, broadcast and unspecified addresses are nothing that a socket connects to.

use crate::diagnostic::{Diagnostic, Page, page};
use std::net::IpAddr;

use lrpc_schema::image::WrongAddress;

use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("unusable-address", Error, since "0.1.0", "no connection can be redirected from this address");

pub(crate) fn report(source: &Source, span: Span, address: IpAddr, wrong: WrongAddress) -> Diagnostic {
    let what = wrong.as_str();
    PAGE.report(format!("`{address}` is {what}, which cannot be redirected"))
        .at(source, span, what)
        .help("name the address that the clients connect to")
}
