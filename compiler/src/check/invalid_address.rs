//! L16: spaces, zones, prefixes and IPv4-mapped addresses pass the CRD, and the agent then ignores or misreads them.

use crate::diagnostic::{Diagnostic, Page, page};
use std::net::IpAddr;

use crate::diagnostic::shown;
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("invalid-address", Error, "a frontend or backend address is not a plain IP address");

/// The plain address in a text.
pub(crate) fn parse(source: &Source, span: Span, text: &str) -> Result<IpAddr, Box<Diagnostic>> {
    let mapped = |v6: std::net::Ipv6Addr| v6.to_ipv4_mapped();
    let (label, help) = match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) if mapped(v6).is_some() => {
            let v4 = mapped(v6).map(|v4| v4.to_string()).unwrap_or_default();
            (
                "an IPv4-mapped address",
                format!("write `{v4}`; sockets that use the mapped form are redirected too"),
            )
        }
        Ok(address) => return Ok(address),
        Err(_) => wrong(text),
    };
    Err(Box::new(
        PAGE.report(format!("{} is not a plain IP address", shown(text))).at(source, span, label).help(help),
    ))
}

fn wrong(text: &str) -> (&'static str, String) {
    let plain = |text: &str| text.parse::<IpAddr>().ok();
    let write = |address: &str| format!("write `{address}`");
    let trimmed = text.trim();
    if trimmed.len() < text.len() && plain(trimmed).is_some() {
        return ("spaces around the address", write(trimmed));
    }
    if let Some((address, _)) = text.split_once('%').filter(|(address, _)| plain(address).is_some()) {
        return ("a zone", format!("{}; a socket hook cannot tell zones apart", write(address)));
    }
    if let Some((address, _)) = text.split_once('/').filter(|(address, _)| plain(address).is_some()) {
        return (
            "a prefix",
            format!("{}, one policy for each address: prefixes cannot be redirected", write(address)),
        );
    }
    let unbracketed = text.trim_start_matches('[').split(']').next().unwrap_or_default();
    if unbracketed.len() < text.len() && plain(unbracketed).is_some() {
        return ("brackets", write(unbracketed));
    }
    if let Some((address, _)) = text.rsplit_once(':').filter(|(address, _)| plain(address).is_some()) {
        return ("a port", format!("{} and put the port into `toPorts`", write(address)));
    }
    let octets: Option<Vec<u8>> = text.split('.').map(|octet| octet.parse().ok()).collect();
    if let Some([a, b, c, d]) = octets.as_deref() {
        let address = format!("{a}.{b}.{c}.{d}");
        return ("leading zeros", write(&address));
    }
    ("not an address", "write an IPv4 or IPv6 address; for a Service use `serviceMatcher`".to_owned())
}
