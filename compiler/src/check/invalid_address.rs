//! L16: spaces, zones, prefixes and IPv4-mapped addresses pass the CRD, and the agent then ignores or misreads them.

use crate::diagnostic::{Diagnostic, Page, page};
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::diagnostic::shown;
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("invalid-address", Error, since "0.1.0", "a frontend or backend address is not a plain IP address");

/// The field of a policy's own address.
pub(crate) const FRONTEND: &str = "spec.redirectFrontend.addressMatcher.ip";
/// The annotation with the address of its backends (L15).
pub(crate) const BACKEND: &str = "lrpc.dev/backend-address";

/// The plain address in the text of `field`, one of the two above.
pub(crate) fn parse(source: &Source, span: Span, field: &str, text: &str) -> Result<IpAddr, Box<Diagnostic>> {
    let (label, help) = match text.parse::<IpAddr>() {
        Ok(address) if address != address.to_canonical() => {
            let plain = format!("write `{}`", address.to_canonical());
            let help = match field {
                FRONTEND => format!("{plain}; sockets that use the mapped form are redirected too"),
                _ => plain,
            };
            ("an IPv4-mapped address", help)
        }
        Ok(address) => return Ok(address),
        Err(_) => wrong(field, text),
    };
    let message = match text {
        "" => format!("`{field}` is empty"),
        _ => format!("{} is not a plain IP address", shown(text)),
    };
    Err(Box::new(PAGE.report(message).at(source, span, label).help(help)))
}

/// What to write where nothing in the text is an address.
pub(super) fn help(field: &str) -> String {
    match field {
        FRONTEND => "write an IPv4 or IPv6 address; for a Service use `serviceMatcher`".to_owned(),
        _ => {
            "write the IPv4 or IPv6 address at which the agent listens, such as `169.254.169.252`".to_owned()
        }
    }
}

/// An address with the length of its network, rather than the network itself.
fn is_one(address: IpAddr, length: u8) -> bool {
    IpNet::new(address, length)
        .is_ok_and(|net| net.prefix_len() == net.max_prefix_len() || net.network() != address)
}

fn wrong(field: &str, text: &str) -> (&'static str, String) {
    let plain = |text: &str| text.parse::<IpAddr>().ok();
    let write = |address: &str| format!("write `{address}`");
    let trimmed = text.trim();
    if trimmed.len() < text.len() && plain(trimmed).is_some() {
        return ("spaces around the address", write(trimmed));
    }
    if let Ok(both) = text.parse::<SocketAddr>() {
        return ("an address with a port", format!("write `{}` and put the port into `toPorts`", both.ip()));
    }
    if let Some((address, _)) = text.split_once('%').filter(|(address, _)| plain(address).is_some()) {
        return ("a zone", format!("{}; a socket hook cannot tell zones apart", write(address)));
    }
    if let Some((address, length)) = text.split_once('/')
        && let Some(address) = plain(address)
    {
        let help = match (length.parse(), field) {
            (Ok(length), _) if is_one(address, length) => write(&address.to_canonical().to_string()),
            (_, FRONTEND) => {
                "a prefix cannot be redirected: write one address, and a policy for each other one".to_owned()
            }
            (_, field) => help(field),
        };
        return ("a prefix", help);
    }
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if let Some(address) = inside.filter(|address| plain(address).is_some()) {
        return ("brackets", write(address));
    }
    let octets: Option<Vec<u8>> = text.split('.').map(|octet| octet.parse().ok()).collect();
    if let Some([a, b, c, d]) = octets.as_deref() {
        let address = format!("{a}.{b}.{c}.{d}");
        return ("leading zeros", write(&address));
    }
    ("not an address", help(field))
}
