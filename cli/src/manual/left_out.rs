//! Why this version's data path does not carry a row. Where the reason is a warning of the same name, its page
//! says more.

use std::borrow::Cow;

use lrpc_linker::profile::Gap;

use super::{Entry, Kind};

macro_rules! left_out {
    ($name:literal, $summary:literal) => {
        Some(($summary, include_str!(concat!("../../manual/left_out/", $name, ".md"))))
    };
}

/// Every reason that is no diagnostic too.
pub(super) fn all() -> impl Iterator<Item = Entry> {
    Gap::ALL.into_iter().filter_map(|gap| {
        let (summary, page) = page(gap)?;
        Some(Entry {
            name: Cow::Borrowed(gap.as_str()),
            kind: Kind::LeftOut,
            severity: None,
            summary: Cow::Borrowed(summary),
            since: super::FIRST,
            page: Cow::Borrowed(page),
        })
    })
}

fn page(gap: Gap) -> Option<(&'static str, &'static str)> {
    match gap {
        Gap::Mode => left_out!("mode", "this version loads the install mode `full` only"),
        Gap::Ipv6 => left_out!("ipv6", "this version redirects IPv4 sockets only"),
        Gap::Clients => left_out!("clients", "this version does not tell clients apart"),
        Gap::Skip => left_out!("skip-redirect-from-backend", "this version exempts no backend"),
        Gap::UnconnectedUdp => None,
    }
}
