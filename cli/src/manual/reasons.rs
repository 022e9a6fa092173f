//! Why a frontend or a connection is not redirected. Some reasons are findings of the same name, whose pages
//! say more.

use std::borrow::Cow;

use lrpc_linker::mapset;
use lrpc_linker::trace::Reason;

use super::{Entry, Kind};

macro_rules! reason {
    ($name:literal, $summary:literal) => {
        Some(($summary, include_str!(concat!("../../manual/reasons/", $name, ".md"))))
    };
}

/// Every reason that is no finding too.
pub(super) fn all() -> impl Iterator<Item = Entry> {
    Reason::ALL.into_iter().filter_map(|reason| {
        let (summary, page) = page(reason)?;
        Some(Entry {
            name: Cow::Borrowed(reason.as_str()),
            kind: Kind::Reason,
            severity: None,
            summary: Cow::Borrowed(summary),
            since: super::FIRST,
            page: Cow::Borrowed(page),
        })
    })
}

fn page(reason: Reason) -> Option<(&'static str, &'static str)> {
    match reason {
        Reason::Row(mapset::Reason::NodeNotSelected) => {
            reason!("node-not-selected", "the policy does not act on this node")
        }
        Reason::Row(mapset::Reason::NoReadyBackend) => {
            reason!("no-ready-backend", "no selected pod of the node is ready")
        }
        Reason::Row(mapset::Reason::NoUsableBackend) => {
            reason!("no-usable-backend", "pods are ready, and none serves the frontend")
        }
        Reason::NoFrontend => reason!("no-frontend", "no policy redirects the destination"),
        Reason::ClientNotSelected => {
            reason!("client-not-selected", "the policy does not redirect this client")
        }
        Reason::OwnTraffic => reason!("own-traffic", "the client is a backend, whose traffic is left alone"),
        Reason::Row(
            mapset::Reason::AddressOwnedByService
            | mapset::Reason::AddressNotAllowed
            | mapset::Reason::BackendNotIdentified
            | mapset::Reason::PortNotServed,
        ) => None,
    }
}
