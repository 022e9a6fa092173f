//! Servers that say who they are.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;

/// A TCP and UDP server that answers every connection and datagram with its name, in the network namespace
/// of the thread that starts it.
///
/// Its threads end with the process; the namespace and its sockets live as long.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Starts one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn start(address: SocketAddr, name: &str) -> io::Result<Self> {
        let tcp = TcpListener::bind(address)?;
        let udp = UdpSocket::bind(address)?;
        let answer = name.to_owned();
        thread::spawn(move || {
            for stream in tcp.incoming() {
                // A client that went away wants no answer.
                let _ = stream.and_then(|mut stream| stream.write_all(answer.as_bytes()));
            }
        });
        let answer = name.to_owned();
        thread::spawn(move || {
            let mut question = [0; 64];
            while let Ok((_, client)) = udp.recv_from(&mut question) {
                let _ = udp.send_to(answer.as_bytes(), client);
            }
        });
        Ok(Self)
    }
}
