//! What a data path cannot do for a row.

use std::fmt;

use lrpc_schema::image::{Clients, Matcher, Policy, Protocol};
use serde::Serialize;

use crate::mapset::Row;

/// What this version's data path cannot do for a row, in the order in which the first is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// The install mode (L17).
    Mode,
    /// The frontend's address is an IPv6 address.
    Ipv6,
    /// The policy redirects for some clients only (L6).
    Clients,
    /// The policy exempts its backends' own traffic (L8).
    #[serde(rename = "skip-redirect-from-backend")]
    Skip,
    /// Datagrams of unconnected sockets are not redirected; connected ones are.
    UnconnectedUdp,
}

impl Gap {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Mode, Self::Ipv6, Self::Clients, Self::Skip, Self::UnconnectedUdp];

    /// The reason in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::Ipv6 => "ipv6",
            Self::Clients => "clients",
            Self::Skip => "skip-redirect-from-backend",
            Self::UnconnectedUdp => "unconnected-udp",
        }
    }

    /// Whether a row would need what is missing.
    pub(super) fn concerns(self, row: &Row) -> bool {
        match self {
            Self::Mode => true,
            Self::Ipv6 => row.frontend.address.is_ipv6(),
            Self::Clients => row.clients != Clients::All,
            Self::Skip => row.skip_flag,
            Self::UnconnectedUdp => row.frontend.protocol == Protocol::Udp,
        }
    }

    /// Whether a policy would need what is missing wherever it acts, whatever runs in the cluster.
    pub(super) fn concerns_policy(self, policy: &Policy) -> bool {
        match self {
            Self::Mode => true,
            Self::Ipv6 => matches!(&policy.frontend, Matcher::Address { ip, .. } if ip.get().is_ipv6()),
            Self::Clients => policy.clients != Clients::All,
            Self::Skip => policy.skip,
            Self::UnconnectedUdp => policy.frontend.ports().iter().any(|spec| spec.protocol == Protocol::Udp),
        }
    }
}

/// What is missing, in words.
impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mode => "modes other than `full`",
            Self::Ipv6 => "IPv6 frontends",
            Self::Clients => "policies with `lrpc.dev/clients` other than `all`",
            Self::Skip => "policies with `skipRedirectFromBackend`",
            Self::UnconnectedUdp => "unconnected UDP sockets",
        })
    }
}
