//! The test rows: one reserved frontend of each family, in every generation, by which `doctor` asks whether the
//! active one acts.
//!
//! Their addresses are nobody's (RFC 7600's dummy IPv4 address, RFC 6666's discard prefix), and they lead to the
//! loopback of who asks. Connecting a UDP socket sends no packet: where the programs act, getsockname tells a loopback
//! address and getpeername the frontend; where they do not, the kernel looks for a route to an address that has none
//! of its own, and that is all.
//!
//! INVARIANT: nobody is shown them, no count counts them, and a policy for such an address takes its place.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use lrpc_schema::image::Protocol;
use lrpc_schema::records::{Backend, FrontendKey, FrontendValue};
use serde::{Deserialize, Serialize};

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    #[serde(rename = "IPv4")]
    V4,
    /// IPv6.
    #[serde(rename = "IPv6")]
    V6,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The reserved frontend.
    pub fn frontend(self) -> SocketAddr {
        let address: IpAddr = match self {
            Self::V4 => Ipv4Addr::new(192, 0, 0, 8).into(),
            Self::V6 => Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 8).into(),
        };
        SocketAddr::new(address, 1)
    }

    /// Where it leads: the discard port of the client's own loopback.
    fn backend(self) -> SocketAddr {
        let address: IpAddr = match self {
            Self::V4 => Ipv4Addr::LOCALHOST.into(),
            Self::V6 => Ipv6Addr::LOCALHOST.into(),
        };
        SocketAddr::new(address, 9)
    }

    fn any(self) -> SocketAddr {
        let address: IpAddr = match self {
            Self::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Self::V6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        SocketAddr::new(address, 0)
    }

    /// The row of this family's frontend.
    pub(crate) fn row(self) -> (FrontendKey, FrontendValue) {
        let (frontend, backend) = (self.frontend(), self.backend());
        let key = FrontendKey::new(frontend.ip(), frontend.port(), Protocol::Udp);
        (key, FrontendValue::redirect(1, 0, Backend::new(backend.ip(), backend.port())))
    }
}

/// Whether a frontend is a reserved one, whoever redirects it.
pub(crate) fn is_reserved(key: &FrontendKey) -> bool {
    Family::ALL.into_iter().any(|family| family.row().0 == *key)
}

/// Whether an entry of a frontend table is a test row.
pub(crate) fn is_test_row(key: &FrontendKey, value: &FrontendValue) -> bool {
    Family::ALL.into_iter().any(|family| family.row() == (*key, *value))
}

/// Whether an entry of a frontend table, as bytes, is a test row.
pub(crate) fn is_test_entry(key: &[u8], value: &[u8]) -> bool {
    let entry = key.try_into().ok().zip(value.try_into().ok());
    entry.is_some_and(|(key, value)| {
        is_test_row(&FrontendKey::from_bytes(key), &FrontendValue::from_bytes(value))
    })
}

/// What a connect to a reserved frontend came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It was made: what getpeername and getsockname say then.
    Connected {
        /// getpeername.
        peer: SocketAddr,
        /// getsockname.
        source: SocketAddr,
    },
    /// It failed.
    Failed(String),
    /// This process does not even reach its own loopback by this family.
    Absent(String),
}

/// Connects to the reserved frontend of each family, from where this process runs. No packet is sent.
pub fn ask() -> [(Family, Answer); 2] {
    Family::ALL.map(|family| (family, family.ask()))
}

impl Family {
    fn ask(self) -> Answer {
        let connect = |to| -> io::Result<UdpSocket> {
            let socket = UdpSocket::bind(self.any())?;
            socket.connect(to)?;
            Ok(socket)
        };
        if let Err(error) = connect(self.backend()) {
            return Answer::Absent(error.to_string());
        }
        let asked = connect(self.frontend()).and_then(|socket| {
            Ok(Answer::Connected { peer: socket.peer_addr()?, source: socket.local_addr()? })
        });
        asked.unwrap_or_else(|error| Answer::Failed(error.to_string()))
    }

    /// What an answer shows to be amiss; `None` where the programs have acted.
    pub(crate) fn amiss(self, answer: &Answer) -> Option<String> {
        let frontend = self.frontend();
        match answer {
            Answer::Connected { source, .. } if !source.ip().is_loopback() => {
                Some(format!("{self}: a connect to {frontend} is left alone"))
            }
            Answer::Connected { peer, .. } if *peer != frontend => {
                Some(format!("{self}: a connect to {frontend} is redirected, and getpeername says {peer}"))
            }
            Answer::Connected { .. } => None,
            Answer::Failed(error) => Some(format!("{self}: a connect to {frontend} fails: {error}")),
            Answer::Absent(error) => Some(format!("{self}: loopback cannot be reached: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserved_addresses_are_nobodys() {
        assert_eq!(Family::ALL.map(|family| family.frontend().to_string()), ["192.0.0.8:1", "[100::8]:1"]);
        assert!(Family::ALL.iter().all(|family| family.backend().ip().is_loopback()));
    }

    #[test]
    fn only_the_very_row_is_a_test_row() {
        let (key, value) = Family::V6.row();
        assert!(is_test_row(&key, &value) && is_test_entry(&key.to_bytes(), &value.to_bytes()));
        assert!(!is_test_row(&key, &FrontendValue::drop()), "a policy's own row for that address is shown");
        assert!(!is_test_row(&Family::V4.row().0, &value));
        assert!(!is_test_entry(&[], &value.to_bytes()));
    }

    #[test]
    fn an_answer_shows_which_hook_acted() {
        let connected = |peer: &str, source: &str| Answer::Connected {
            peer: peer.parse().unwrap(),
            source: source.parse().unwrap(),
        };
        let amiss = |answer| Family::V4.amiss(&answer).unwrap_or_default();
        assert_eq!(amiss(connected("192.0.0.8:1", "127.0.0.1:5")), "");
        assert!(amiss(connected("192.0.0.8:1", "10.0.0.7:5")).contains("left alone"));
        assert!(amiss(connected("127.0.0.1:9", "127.0.0.1:5")).contains("getpeername says 127.0.0.1:9"));
        assert!(amiss(Answer::Failed("no route".to_owned())).ends_with("fails: no route"));
    }
}
