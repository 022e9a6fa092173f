//! Many calls a second, each of which tells where it ended.
//!
//! Nothing answers: where a socket sends to an address of its own machine, its source is that same address. So the
//! socket's own side says which backend it got, whatever getpeername is told.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::{PATIENCE, Storm};

/// No rush is longer.
const LONGEST: Duration = Duration::from_secs(1800);
/// How many calls a socket makes before the next takes its place.
const CALLS_OF_A_SOCKET: u64 = 64;

/// A call of a rush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rush {
    /// connect(2) of a UDP socket, which is disconnected again.
    Connect,
    /// A datagram of a UDP socket that is not connected. A server of the client's own receives it, at the port of
    /// the backends, so one client at most does so in a namespace.
    Send,
}

impl Rush {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Send => "send",
        }
    }

    /// The failure of a datagram that was sent and that the server has not received.
    pub const LOST: &'static str = "no datagram came";

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Connect, Self::Send].into_iter().find(|rush| rush.name() == name)
    }

    /// Calls over and over, until `calm` and at least `least` times. Answers are counted by the address at which the
    /// call ended.
    pub(crate) fn run(self, to: SocketAddr, least: u64, calm: &AtomicBool) -> io::Result<Storm> {
        let server = UdpSocket::bind((any(to), if self == Self::Send { to.port() } else { 0 }))?;
        server.set_read_timeout(Some(PATIENCE))?;
        let mut answers = BTreeMap::<IpAddr, u64>::new();
        let mut failures = BTreeMap::new();
        let (begin, mut made) = (Instant::now(), 0_u64);
        while begin.elapsed() < LONGEST && (made < least || !calm.load(Ordering::Relaxed)) {
            let socket = UdpSocket::bind((any(to), 0))?;
            for _ in 0..CALLS_OF_A_SOCKET {
                let ended = match self {
                    Self::Connect => connect(&socket, to),
                    Self::Send => send(&socket, to, &server),
                };
                let count = match ended {
                    Ok(at) => answers.entry(at.ip()).or_default(),
                    Err(error) => failures.entry(error.to_string()).or_default(),
                };
                *count += 1;
            }
            made += CALLS_OF_A_SOCKET;
        }
        let answers = answers.into_iter().map(|(at, count)| (at.to_string(), count)).collect();
        Ok(Storm { answers, failures })
    }
}

fn connect(socket: &UdpSocket, to: SocketAddr) -> io::Result<SocketAddr> {
    socket.connect(to)?;
    let at = socket.local_addr()?;
    rustix::net::connect_unspec(socket)?;
    Ok(at)
}

fn send(socket: &UdpSocket, to: SocketAddr, server: &UdpSocket) -> io::Result<SocketAddr> {
    socket.send_to(b"who?", to)?;
    let came = server.recv_from(&mut [0; 64]);
    let (_, at) = came.map_err(|_timeout| io::Error::other(Rush::LOST))?;
    Ok(at)
}

fn any(to: SocketAddr) -> IpAddr {
    if to.is_ipv4() { [0; 4].into() } else { [0; 16].into() }
}
