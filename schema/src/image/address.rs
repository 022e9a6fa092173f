//! Addresses that obey a rule, each with one constructor: what the compiler accepts, an image holds and an
//! inventory gives is the same by type.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};
use core::str::FromStr;

/// Why an address cannot be what it is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is {}", self.as_str())]
pub enum WrongAddress {
    /// It is not written as an address is.
    Text,
    /// It is an IPv4 address in IPv6 form, which sockets know by its IPv4 form (L16).
    Mapped,
    /// `0.0.0.0` or `::`.
    Unspecified,
    /// Each pod has a loopback of its own.
    Loopback,
    /// No connection goes to a group.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// Outside of what an agent of the node can listen on (L15).
    OutOfRange,
}

impl WrongAddress {
    /// What the address is, with its article.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "no IP address",
            Self::Mapped => "an IPv4-mapped address",
            Self::Unspecified => "the unspecified address",
            Self::Loopback => "a loopback address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::OutOfRange => "outside 169.254.0.0/16 and fd00::/8",
        }
    }
}

/// A plain address to which a connection can be opened at all.
fn plain(address: IpAddr) -> Result<IpAddr, WrongAddress> {
    if address != address.to_canonical() {
        Err(WrongAddress::Mapped)
    } else if address.is_unspecified() {
        Err(WrongAddress::Unspecified)
    } else if address.is_multicast() {
        Err(WrongAddress::Multicast)
    } else if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        Err(WrongAddress::Broadcast)
    } else {
        Ok(address)
    }
}

fn frontend(address: IpAddr) -> Result<IpAddr, WrongAddress> {
    plain(address)
}

fn pod(address: IpAddr) -> Result<IpAddr, WrongAddress> {
    if address.is_loopback() { Err(WrongAddress::Loopback) } else { plain(address) }
}

fn agent(address: IpAddr) -> Result<IpAddr, WrongAddress> {
    let is_in_range = match pod(address)? {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.octets().first() == Some(&0xfd),
    };
    if is_in_range { Ok(address) } else { Err(WrongAddress::OutOfRange) }
}

macro_rules! address {
    ($(#[$doc:meta])* $name:ident, $rule:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(IpAddr);

        impl $name {
            /// The address, if it obeys the rule.
            ///
            /// # Errors
            /// Why it does not.
            pub fn new(address: IpAddr) -> Result<Self, WrongAddress> {
                $rule(address).map(Self)
            }

            /// The plain address.
            pub const fn get(self) -> IpAddr {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = WrongAddress;

            fn from_str(text: &str) -> Result<Self, WrongAddress> {
                Self::new(text.parse().map_err(|_| WrongAddress::Text)?)
            }
        }
    };
}

address! {
    /// What an address policy catches: a plain address (L16) that a connection can be opened to. Loopback is
    /// one, although the compiler warns of it.
    FrontendAddress, frontend
}

address! {
    /// Where a pod can be reached from another one: no loopback, which would be the client's own.
    PodAddress, pod
}

address! {
    /// The node's address at which an agent listens (`lrpc.dev/backend-address`, L15): of 169.254.0.0/16 or
    /// fd00::/8.
    AgentAddress, agent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_rule() {
        use WrongAddress::{Broadcast, Loopback, Mapped, Multicast, OutOfRange, Text, Unspecified};
        for (text, frontend, pod, agent) in [
            ("169.254.169.254", Ok(()), Ok(()), Ok(())),
            ("fd00::1", Ok(()), Ok(()), Ok(())),
            ("10.96.0.10", Ok(()), Ok(()), Err(OutOfRange)),
            ("fe80::1", Ok(()), Ok(()), Err(OutOfRange)),
            ("127.0.0.1", Ok(()), Err(Loopback), Err(Loopback)),
            ("::1", Ok(()), Err(Loopback), Err(Loopback)),
            ("0.0.0.0", Err(Unspecified), Err(Unspecified), Err(Unspecified)),
            ("::", Err(Unspecified), Err(Unspecified), Err(Unspecified)),
            ("224.0.0.1", Err(Multicast), Err(Multicast), Err(Multicast)),
            ("ff02::1", Err(Multicast), Err(Multicast), Err(Multicast)),
            ("255.255.255.255", Err(Broadcast), Err(Broadcast), Err(Broadcast)),
            ("::ffff:10.96.0.10", Err(Mapped), Err(Mapped), Err(Mapped)),
            ("::ffff:127.0.0.1", Err(Mapped), Err(Mapped), Err(Mapped)),
            ("10.96.0.10/32", Err(Text), Err(Text), Err(Text)),
        ] {
            assert_eq!(text.parse::<FrontendAddress>().map(drop), frontend, "{text}");
            assert_eq!(text.parse::<PodAddress>().map(drop), pod, "{text}");
            assert_eq!(text.parse::<AgentAddress>().map(drop), agent, "{text}");
        }
        assert_eq!(
            "fd00::1".parse::<AgentAddress>().map(|address| address.to_string()),
            Ok("fd00::1".into())
        );
    }
}
