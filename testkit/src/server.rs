//! Servers that say who they are.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
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
                let _ = stream.and_then(|stream| tell(stream, &answer));
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

fn tell(mut stream: TcpStream, name: &str) -> io::Result<()> {
    // A question that came with the connection is read: who closes over one resets the connection.
    stream.set_nonblocking(true)?;
    let _ = stream.read(&mut [0; 64]);
    stream.write_all(name.as_bytes())
}
