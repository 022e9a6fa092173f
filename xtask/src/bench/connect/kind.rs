//! The calls that are measured, and the addresses they meet.

use std::fmt;
use std::net::SocketAddr;

use testkit::{Call, Range};

use crate::bench::generate::{FRONTEND_PORT, POD_ADDRESS, POD_ADDRESS_6};

/// The port of the pod that serves every frontend.
pub(super) const BACKEND_PORT: u16 = 8080;

/// A call over one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Tcp4,
    Udp4,
    Datagram4,
    Tcp6,
    Udp6,
    Datagram6,
}

impl Kind {
    pub(super) fn is_ipv4(self) -> bool {
        matches!(self, Self::Tcp4 | Self::Udp4 | Self::Datagram4)
    }

    pub(super) fn call(self) -> Call {
        match self {
            Self::Tcp4 | Self::Tcp6 => Call::ConnectTcp,
            Self::Udp4 | Self::Udp6 => Call::ConnectUdp,
            Self::Datagram4 | Self::Datagram6 => Call::Send,
        }
    }

    /// How many calls make a batch: as many as the other side has room for.
    pub(super) fn batch(self) -> u32 {
        match self.call() {
            Call::ConnectTcp => 200,
            Call::ConnectUdp => 64,
            Call::Send => 200,
        }
    }

    /// As policies say it.
    pub(super) fn protocol(self) -> &'static str {
        if self.call() == Call::ConnectTcp { "TCP" } else { "UDP" }
    }

    /// Where the frontends are.
    pub(super) fn frontends(self, count: u32) -> Range {
        self.range(["172.16.0.0", "fd00:16::"], count)
    }

    /// Addresses that are no frontends, with the frontends' port.
    pub(super) fn others(self) -> Range {
        self.range(["10.200.0.0", "fd00:200::"], 1 << 16)
    }

    fn range(self, [first_4, first_6]: [&str; 2], span: u32) -> Range {
        Range { first: self.address(first_4, first_6, FRONTEND_PORT), span }
    }

    /// The addresses of [`frontends`](Self::frontends) and [`others`](Self::others).
    pub(super) fn networks(self) -> [&'static str; 2] {
        if self.is_ipv4() { ["172.16.0.0/12", "10.200.0.0/16"] } else { ["fd00:16::/64", "fd00:200::/64"] }
    }

    /// The pod that serves the frontends.
    pub(super) fn backend(self) -> SocketAddr {
        self.address(POD_ADDRESS, POD_ADDRESS_6, BACKEND_PORT)
    }

    /// What answers at the others.
    pub(super) fn anywhere(self) -> SocketAddr {
        self.address("0.0.0.0", "::", FRONTEND_PORT)
    }

    fn address(self, v4: &str, v6: &str, port: u16) -> SocketAddr {
        let address = if self.is_ipv4() { v4.parse() } else { v6.parse() };
        SocketAddr::new(address.unwrap_or(std::net::Ipv4Addr::LOCALHOST.into()), port)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp4 => "TCP connect, v4",
            Self::Udp4 => "UDP connect, v4",
            Self::Datagram4 => "datagram, v4",
            Self::Tcp6 => "TCP connect, v6",
            Self::Udp6 => "UDP connect, v6",
            Self::Datagram6 => "datagram, v6",
        })
    }
}
