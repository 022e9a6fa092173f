//! The places in the kernel where a program of ours runs.

use core::fmt;

/// A hook of the cgroup, and the program of the same name in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// `getpeername` of an IPv4 socket.
    Getpeername4,
    /// `getpeername` of an IPv6 socket, IPv4-mapped peers included.
    Getpeername6,
    /// A datagram that an IPv4 socket received.
    Recvmsg4,
    /// A datagram that an IPv6 socket received, from an IPv4-mapped address too.
    Recvmsg6,
    /// A datagram that an IPv4 socket sends to an address, or an IPv6 socket to an IPv4-mapped one.
    Sendmsg4,
    /// A datagram that an IPv6 socket sends to an IPv6 address.
    Sendmsg6,
    /// `connect` of an IPv4 socket.
    Connect4,
    /// `connect` of an IPv6 socket, IPv4-mapped addresses included.
    Connect6,
}

impl Hook {
    /// Every hook, in the order in which they are attached: what answers for a redirect is in place before what
    /// redirects.
    pub const ALL: [Self; 8] = [
        Self::Getpeername4,
        Self::Getpeername6,
        Self::Recvmsg4,
        Self::Recvmsg6,
        Self::Sendmsg4,
        Self::Sendmsg6,
        Self::Connect4,
        Self::Connect6,
    ];

    /// The name of the program, of its pins and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Getpeername4 => "getpeername4",
            Self::Getpeername6 => "getpeername6",
            Self::Recvmsg4 => "recvmsg4",
            Self::Recvmsg6 => "recvmsg6",
            Self::Sendmsg4 => "sendmsg4",
            Self::Sendmsg6 => "sendmsg6",
            Self::Connect4 => "connect4",
            Self::Connect6 => "connect6",
        }
    }

    /// The hook of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.name() == name)
    }

    /// Whether its program decides by the tables; the others only tell what a socket remembers.
    pub const fn decides(self) -> bool {
        match self {
            Self::Connect4 | Self::Connect6 | Self::Sendmsg4 | Self::Sendmsg6 => true,
            Self::Getpeername4 | Self::Getpeername6 | Self::Recvmsg4 | Self::Recvmsg6 => false,
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
