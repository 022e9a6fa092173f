//! The other side of a batch: takes what came of it when it is told to, so that no process is woken while the clock
//! runs.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

/// How many connections may wait to be taken.
const BACKLOG: i32 = 4096;

/// A TCP and UDP server that does nothing until it is told to.
#[derive(Debug)]
pub struct Sink {
    tcp: TcpListener,
    udp: UdpSocket,
}

impl Sink {
    /// Listens, in the network namespace of the calling thread.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        let sink = Self { tcp: TcpListener::bind(address)?, udp: UdpSocket::bind(address)? };
        rustix::net::listen(&sink.tcp, BACKLOG)?;
        sink.tcp.set_nonblocking(true)?;
        sink.udp.set_nonblocking(true)?;
        Ok(sink)
    }

    /// Resets every connection that waits and answers every datagram. Gives the number of both.
    ///
    /// # Errors
    /// When a socket fails.
    pub fn drain(&self) -> io::Result<u32> {
        let mut taken = 0;
        while let Some((connection, _)) = unless_empty(self.tcp.accept())? {
            // A reset instead of a farewell, which would occupy the client's port for a minute.
            set_socket_linger(&connection, Some(Duration::ZERO))?;
            taken += 1;
        }
        let mut question = [0; 64];
        while let Some((_, client)) = unless_empty(self.udp.recv_from(&mut question))? {
            self.udp.send_to(b"I", client)?;
            taken += 1;
        }
        Ok(taken)
    }
}

fn unless_empty<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(taken) => Ok(Some(taken)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
