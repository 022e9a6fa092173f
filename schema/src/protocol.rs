//! The transport protocols that policies name: one type for manifests, images, records and programs.

use core::fmt;
use core::str::FromStr;

/// A transport protocol that a policy can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Protocol {
    /// TCP. An MPTCP socket connects through a TCP one of its own, which is the one that hooks see.
    Tcp = 6,
    /// UDP.
    Udp = 17,
}

impl Protocol {
    /// Both, in the order in which rows are sorted.
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    /// The name in manifests and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }

    /// The number in an IP header.
    #[inline(always)]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The protocol of a number in an IP header.
    pub const fn from_number(number: u8) -> Option<Self> {
        Self::of_socket(number as u32)
    }

    /// The protocol of a socket; `None` for those that no policy names (ICMP, SCTP, UDP-Lite).
    #[inline(always)]
    pub const fn of_socket(protocol: u32) -> Option<Self> {
        const TCP: u32 = Protocol::Tcp as u32;
        const UDP: u32 = Protocol::Udp as u32;
        match protocol {
            TCP => Some(Self::Tcp),
            UDP => Some(Self::Udp),
            _ => None,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is neither `TCP` nor `UDP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownProtocol;

impl fmt::Display for UnknownProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a protocol is `TCP` or `UDP`")
    }
}

impl core::error::Error for UnknownProtocol {}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, UnknownProtocol> {
        Self::ALL.into_iter().find(|protocol| protocol.as_str() == text).ok_or(UnknownProtocol)
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol;

    #[test]
    fn policies_speak_of_tcp_and_udp_alone() {
        let (sctp, udplite, icmp) = (132, 136, 1);
        assert_eq!(Protocol::of_socket(6), Some(Protocol::Tcp));
        assert_eq!(Protocol::of_socket(17), Some(Protocol::Udp));
        for other in [sctp, udplite, icmp, 6 + 256] {
            assert_eq!(Protocol::of_socket(other), None);
        }
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::from_number(protocol.number()), Some(protocol));
            assert_eq!(protocol.as_str().parse(), Ok(protocol));
        }
    }
}
