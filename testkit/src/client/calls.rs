//! Single socket calls of a client, one at a time, as it is told.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, ipproto};
use rustix::process::{Resource, Rlimit};

use super::{Client, PATIENCE};

/// No client holds or opens more sockets in one call.
const MOST_SOCKETS: usize = 10_000_000;

/// Which socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TCP, IPv4.
    Tcp4,
    /// TCP, IPv6, which serves mapped addresses too.
    Tcp6,
    /// UDP, IPv4.
    Udp4,
    /// UDP, IPv6, which serves mapped addresses too.
    Udp6,
    /// Multipath TCP, IPv4.
    Mptcp4,
}

/// A socket that a client holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held(usize);

impl Client {
    /// Makes a socket.
    ///
    /// # Errors
    /// As the kernel says it; so do all of these.
    pub fn socket(&mut self, kind: Kind) -> io::Result<Held> {
        let made = self.call(format_args!("socket {kind:?}"))?;
        Ok(Held(made.parse().map_err(io::Error::other)?))
    }

    /// Connects a socket.
    ///
    /// # Errors
    /// As the kernel says it.
    pub fn connect_socket(&mut self, socket: Held, address: &str) -> io::Result<()> {
        self.call(format_args!("dial {} {address}", socket.0)).map(drop)
    }

    /// Takes a socket's connection back: `connect` with `AF_UNSPEC`.
    ///
    /// # Errors
    /// As the kernel says it.
    pub fn disconnect(&mut self, socket: Held) -> io::Result<()> {
        self.call(format_args!("disconnect {}", socket.0)).map(drop)
    }

    /// Sends a question where a socket is connected to.
    ///
    /// # Errors
    /// As the kernel says it.
    pub fn send(&mut self, socket: Held) -> io::Result<()> {
        self.call(format_args!("send {}", socket.0)).map(drop)
    }

    /// Sends a question to an address.
    ///
    /// # Errors
    /// As the kernel says it.
    pub fn send_to(&mut self, socket: Held, address: &str) -> io::Result<()> {
        self.call(format_args!("sendto {} {address}", socket.0)).map(drop)
    }

    /// Waits for an answer: who sent it as `recvfrom` says (nobody, on TCP), a space, and the server's name.
    ///
    /// # Errors
    /// As the kernel says it, and when nothing comes.
    pub fn receive(&mut self, socket: Held) -> io::Result<String> {
        self.call(format_args!("receive {}", socket.0))
    }

    /// What getpeername says.
    ///
    /// # Errors
    /// As the kernel says it.
    pub fn peer_of(&mut self, socket: Held) -> io::Result<String> {
        self.call(format_args!("peername {}", socket.0))
    }

    /// Moves the client into a cgroup. The sockets that it has made stay where they were made.
    ///
    /// # Errors
    /// As the kernel says it.
    pub fn enter(&mut self, cgroup: &Path) -> io::Result<()> {
        self.call(format_args!("enter {}", cgroup.display())).map(drop)
    }

    /// Makes sockets, uses each of them in one of the ways in which programs do (connected, to several
    /// addresses, connected again and disconnected, TCP), and closes it before the next. Errors of a single
    /// call are nothing: who sends to a port where nobody listens hears of it.
    ///
    /// # Errors
    /// When no socket can be made.
    pub fn use_up(&mut self, sockets: usize, addresses: &[&str]) -> io::Result<()> {
        self.call(format_args!("use {sockets} {}", addresses.join(" "))).map(drop)
    }

    /// Makes sockets that are connected to these addresses in turn and have sent to each of them, and keeps
    /// them until [`close_all`](Self::close_all).
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn hold(&mut self, sockets: usize, addresses: &[&str]) -> io::Result<()> {
        self.call(format_args!("hold {sockets} {}", addresses.join(" "))).map(drop)
    }

    /// Closes every socket that these calls made.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn close_all(&mut self) -> io::Result<()> {
        self.call(format_args!("close")).map(drop)
    }

    fn call(&mut self, order: fmt::Arguments<'_>) -> io::Result<String> {
        self.order(format_args!("call {order}"))?;
        let line = self.line()?;
        match line.strip_prefix("ok") {
            Some(answer) => Ok(answer.trim_start().to_owned()),
            None => Err(io::Error::other(line)),
        }
    }
}

/// The sockets in the client's own process.
#[derive(Default)]
pub(super) struct Calls(Vec<OwnedFd>);

impl Calls {
    /// Does what an order says, and says what came of it in a line.
    pub(super) fn obey(&mut self, order: &str) -> String {
        match self.call(order) {
            Ok(answer) => format!("ok {answer}"),
            Err(error) => error.to_string(),
        }
    }

    fn call(&mut self, order: &str) -> io::Result<String> {
        let called = order.strip_prefix("call ").ok_or_else(|| io::Error::other("not an order"))?;
        match called.split(' ').collect::<Vec<_>>()[..] {
            ["socket", kind] => {
                self.0.push(open(kind)?);
                return Ok((self.0.len() - 1).to_string());
            }
            ["dial", socket, address] => rustix::net::connect(self.socket(socket)?, &parse(address)?)?,
            ["disconnect", socket] => rustix::net::connect_unspec(self.socket(socket)?)?,
            ["send", socket] => {
                rustix::net::send(self.socket(socket)?, b"who?", SendFlags::NOSIGNAL)?;
            }
            ["sendto", socket, address] => send_to(self.socket(socket)?, address)?,
            ["receive", socket] => {
                let mut answer = [0u8; 64];
                let (length, _, from) =
                    rustix::net::recvfrom(self.socket(socket)?, &mut answer[..], RecvFlags::empty())?;
                let answer = String::from_utf8_lossy(answer.get(..length).unwrap_or_default());
                let from = from.and_then(|from| SocketAddr::try_from(from).ok());
                let from = from.map_or("nobody".to_owned(), |from| from.to_string());
                return Ok(format!("{from} {answer}"));
            }
            ["peername", socket] => {
                let peer = rustix::net::getpeername(self.socket(socket)?)?;
                let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
                return peer.map(|peer| peer.to_string()).ok_or_else(|| io::Error::other("no address"));
            }
            ["enter", cgroup] => {
                std::fs::write(Path::new(cgroup).join("cgroup.procs"), std::process::id().to_string())?;
            }
            ["use", count, ref addresses @ ..] => use_up(number(count)?, addresses)?,
            ["hold", count, ref addresses @ ..] => self.hold(number(count)?, addresses)?,
            ["close"] => self.0.clear(),
            _ => return Err(io::Error::other(format!("not an order: {order}"))),
        }
        Ok(String::new())
    }

    fn socket(&self, number: &str) -> io::Result<&OwnedFd> {
        let socket = number.parse().ok().and_then(|number: usize| self.0.get(number));
        socket.ok_or_else(|| io::Error::other("no such socket"))
    }

    fn hold(&mut self, count: usize, addresses: &[&str]) -> io::Result<()> {
        let most = Some(u64::try_from(count + 100).map_err(io::Error::other)?);
        rustix::process::setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
        for address in addresses.iter().cycle().take(count) {
            let socket = open(datagrams_to(address))?;
            rustix::net::connect(&socket, &parse(address)?)?;
            for other in addresses.iter().filter(|other| datagrams_to(other) == datagrams_to(address)) {
                // A full buffer elsewhere is not what is looked at.
                let _ = send_to(&socket, other);
            }
            self.0.push(socket);
        }
        Ok(())
    }
}

fn open(kind: &str) -> io::Result<OwnedFd> {
    let (family, kind, protocol) = match kind {
        "Tcp4" => (AddressFamily::INET, SocketType::STREAM, ipproto::TCP),
        "Tcp6" => (AddressFamily::INET6, SocketType::STREAM, ipproto::TCP),
        "Udp4" => (AddressFamily::INET, SocketType::DGRAM, ipproto::UDP),
        "Udp6" => (AddressFamily::INET6, SocketType::DGRAM, ipproto::UDP),
        "Mptcp4" => (AddressFamily::INET, SocketType::STREAM, ipproto::MPTCP),
        _ => return Err(io::Error::other("no such kind of socket")),
    };
    let socket = rustix::net::socket(family, kind, Some(protocol))?;
    for waits in [Timeout::Recv, Timeout::Send] {
        set_socket_timeout(&socket, waits, Some(PATIENCE))?;
    }
    Ok(socket)
}

fn send_to(socket: &OwnedFd, address: &str) -> io::Result<()> {
    rustix::net::sendto(socket, b"who?", SendFlags::NOSIGNAL, &parse(address)?)?;
    Ok(())
}

fn use_up(count: usize, addresses: &[&str]) -> io::Result<()> {
    for (turn, address) in addresses.iter().cycle().take(count.min(MOST_SOCKETS)).enumerate() {
        let same_family = || addresses.iter().filter(|other| datagrams_to(other) == datagrams_to(address));
        let to = parse(address)?;
        if turn % 4 == 3 {
            let _ = rustix::net::connect(open(if to.is_ipv4() { "Tcp4" } else { "Tcp6" })?, &to);
            continue;
        }
        let socket = open(datagrams_to(address))?;
        match turn % 4 {
            0 => {
                let _ = rustix::net::connect(&socket, &to);
                let _ = rustix::net::send(&socket, b"who?", SendFlags::NOSIGNAL);
            }
            1 => same_family().for_each(|other| {
                let _ = send_to(&socket, other);
            }),
            _ => {
                for other in same_family() {
                    let _ = rustix::net::connect(&socket, &parse(other)?);
                }
                let _ = rustix::net::connect_unspec(&socket);
                let _ = send_to(&socket, address);
            }
        }
    }
    Ok(())
}

fn datagrams_to(address: &str) -> &'static str {
    if address.starts_with('[') { "Udp6" } else { "Udp4" }
}

fn parse(address: &str) -> io::Result<SocketAddr> {
    address.parse().map_err(io::Error::other)
}

fn number(text: &str) -> io::Result<usize> {
    text.parse().map_err(io::Error::other)
}
