//! What a system call costs: a batch of it between two readings of the clock.
//!
//! A batch makes its sockets first and keeps them, so that nothing but the call in question is timed. Destinations
//! are those of a range of addresses in turn: whoever meets the same few has them in the cache.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, sockopt};

/// A prime far from any power of two.
const STRIDE: u64 = 2_654_435_761;

/// No batch is larger: a process may open 1,024 files, as a rule.
const MOST: u32 = 1000;

/// A call that a batch consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// connect(2) of a fresh TCP socket, until the connection stands.
    ConnectTcp,
    /// connect(2) of a fresh UDP socket.
    ConnectUdp,
    /// sendto(2) by a fresh UDP socket that is not connected.
    Send,
}

impl Call {
    const ALL: [(&str, Self); 3] =
        [("connect-tcp", Self::ConnectTcp), ("connect-udp", Self::ConnectUdp), ("send", Self::Send)];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, call)| *call == self).map_or("", |(name, _)| name)
    }
}

/// The addresses from `first` on, `span` of them, all with the port of `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first address, with the port of all.
    pub first: SocketAddr,
    /// How many addresses; at least one.
    pub span: u32,
}

impl Range {
    /// The address that many behind the first.
    pub fn address(self, offset: u32) -> SocketAddr {
        let ip: IpAddr = match self.first.ip() {
            IpAddr::V4(ip) => std::net::Ipv4Addr::from(u32::from(ip).wrapping_add(offset)).into(),
            IpAddr::V6(ip) => std::net::Ipv6Addr::from(u128::from(ip).wrapping_add(offset.into())).into(),
        };
        SocketAddr::new(ip, self.first.port())
    }
}

/// A batch of one call.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// What is timed.
    pub call: Call,
    /// Where to.
    pub to: Range,
    /// How often, at most a thousand times.
    pub count: u32,
}

/// The order of a batch as a line.
impl std::fmt::Display for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} {}", self.call.name(), self.to.first, self.to.span, self.count)
    }
}

impl FromStr for Batch {
    type Err = io::Error;

    fn from_str(line: &str) -> io::Result<Self> {
        let malformed = || io::Error::other(format!("not a batch: {line}"));
        let number = |text: &str| text.parse::<u32>().map_err(|_| malformed());
        match line.split(' ').collect::<Vec<_>>()[..] {
            [name, first, span, count] => {
                let call = Call::ALL.iter().find(|(other, _)| *other == name).ok_or_else(malformed)?.1;
                let first = first.parse().map_err(|_| malformed())?;
                let to = Range { first, span: number(span)?.max(1) };
                Ok(Self { call, to, count: number(count)?.min(MOST) })
            }
            _ => Err(malformed()),
        }
    }
}

/// The client's side: the sockets of the last batch.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    sockets: Vec<OwnedFd>,
    drawn: u64,
}

impl Gauge {
    /// Performs a batch, the sockets of the one before closed first.
    pub(crate) fn run(&mut self, batch: Batch) -> io::Result<Duration> {
        self.sockets.clear();
        let family = if batch.to.first.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let (kind, protocol) = match batch.call {
            Call::ConnectTcp => (SocketType::STREAM, ipproto::TCP),
            Call::ConnectUdp | Call::Send => (SocketType::DGRAM, ipproto::UDP),
        };
        let mut to = Vec::new();
        for _ in 0..batch.count {
            let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, Some(protocol))?;
            sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(crate::client::PATIENCE))?;
            self.sockets.push(socket);
            to.push(batch.to.address(self.draw(batch.to.span)));
        }
        let begin = Instant::now();
        for (socket, to) in self.sockets.iter().zip(&to) {
            match batch.call {
                Call::ConnectTcp | Call::ConnectUdp => rustix::net::connect(socket, to)?,
                Call::Send => drop(rustix::net::sendto(socket, b"who?", SendFlags::empty(), to)?),
            }
        }
        Ok(begin.elapsed())
    }

    /// Sends a datagram by each socket of the last batch, which are connected.
    pub(crate) fn send(&self) -> io::Result<()> {
        for socket in &self.sockets {
            rustix::net::send(socket, b"who?", SendFlags::empty())?;
        }
        Ok(())
    }

    /// Receives an answer by each socket of the last batch.
    pub(crate) fn receive(&self) -> io::Result<Duration> {
        let mut answer = [0; 64];
        let begin = Instant::now();
        for socket in &self.sockets {
            rustix::net::recvfrom(socket, &mut answer, RecvFlags::empty())?;
        }
        Ok(begin.elapsed())
    }

    /// Closes the sockets of the last batch.
    pub(crate) fn close(&mut self) -> Duration {
        let begin = Instant::now();
        self.sockets.clear();
        begin.elapsed()
    }

    /// A number below `span`: each of them once before any comes again, neighbours far apart.
    fn draw(&mut self, span: u32) -> u32 {
        self.drawn = self.drawn.wrapping_add(1);
        u32::try_from(self.drawn.wrapping_mul(STRIDE) % u64::from(span.max(1))).unwrap_or_default()
    }
}
