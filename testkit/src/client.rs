//! A client in a process of its own, told what to do line by line.
//!
//! The hooks follow the cgroup in which a socket was made, so the process is moved first and runs then. It
//! is the running executable again: whoever starts clients calls [`serve_if_client`] first in `main`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

mod calls;

use crate::gauge::{Batch, Gauge};
use crate::rush::Rush;
pub use calls::{Held as HeldSocket, Kind};

const FLAG: &str = "--testkit-client";

/// No storm connects more often or longer.
const MOST_CONNECTS: u64 = 200_000;
const LONGEST_STORM: Duration = Duration::from_secs(120);
/// No single connect or answer is waited for longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Where a client runs.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// In this cgroup, as a pod's process.
    Cgroup(&'a Path),
    /// Where its parent runs.
    Outside,
}

/// A running client; ended when it is dropped.
#[derive(Debug)]
pub struct Client {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What came of one connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What getpeername says.
    pub peer: String,
    /// The server's name.
    pub name: String,
}

/// What came of many connects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storm {
    /// Connects that were answered, by the server's name.
    pub answers: BTreeMap<String, u64>,
    /// Connects that failed or were not answered, by the error.
    pub failures: BTreeMap<String, u64>,
}

impl Client {
    /// Starts a client in the network namespace of the calling thread.
    ///
    /// # Errors
    /// When the executable cannot be run or the cgroup cannot be entered.
    pub fn start(place: Place<'_>) -> io::Result<Self> {
        let executable = std::env::current_exe()?;
        let mut command = match place {
            Place::Outside => Command::new(executable),
            Place::Cgroup(cgroup) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", r#"echo $$ > "$0/cgroup.procs" && exec "$@""#]).arg(cgroup).arg(executable);
                shell
            }
        };
        let mut process = command.arg(FLAG).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("the client has no pipes"));
        };
        Ok(Self { process, orders, answers: BufReader::new(answers) })
    }

    /// Connects over `tcp` or `udp`, waits for the server's name and keeps the socket.
    ///
    /// # Errors
    /// What the connect or the wait for an answer said, as the kernel says it.
    pub fn connect(&mut self, protocol: &str, address: &str) -> io::Result<Answer> {
        self.order(format_args!("connect {protocol} {address}"))?;
        let line = self.line()?;
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["answer", peer, name] => Ok(Answer { peer: peer.into(), name: name.into() }),
            _ => Err(io::Error::other(line)),
        }
    }

    /// Connects the UDP socket that the last connect made to another address, and says what getpeername
    /// says then.
    ///
    /// # Errors
    /// When there is none, or the kernel refuses.
    pub fn reconnect(&mut self, address: &str) -> io::Result<String> {
        self.order(format_args!("reconnect {address}"))?;
        self.line()
    }

    /// What getpeername says of the socket that the last connect made.
    ///
    /// # Errors
    /// When there is none, or the kernel refuses.
    pub fn peer(&mut self) -> io::Result<String> {
        self.order(format_args!("peer"))?;
        self.line()
    }

    /// Begins to connect over and over, until [`calm`](Self::calm) or for at most two minutes.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn storm(&mut self, protocol: &str, address: &str) -> io::Result<()> {
        self.order(format_args!("storm {protocol} {address}"))
    }

    /// Begins to make one call over and over, until [`calm`](Self::calm) and at least `least` times, for half an
    /// hour at most. What came of it is counted by the address at which the calls ended.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn rush(&mut self, call: Rush, address: SocketAddr, least: u64) -> io::Result<()> {
        self.order(format_args!("rush {} {address} {least}", call.name()))
    }

    /// Ends a storm or a rush and says what came of it.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn calm(&mut self) -> io::Result<Storm> {
        self.order(format_args!("calm"))?;
        let mut storm = Storm::default();
        loop {
            let line = self.line()?;
            let mut fields = line.splitn(3, ' ');
            match (fields.next(), fields.next().and_then(|count| count.parse().ok()), fields.next()) {
                (Some("answered"), Some(count), Some(name)) => storm.answers.insert(name.into(), count),
                (Some("failed"), Some(count), Some(error)) => storm.failures.insert(error.into(), count),
                _ => return Ok(storm),
            };
        }
    }

    /// The number of the client's process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Performs a batch and says how long its calls took. The sockets of the one before are closed first.
    ///
    /// # Errors
    /// When a call fails.
    pub fn time(&mut self, batch: Batch) -> io::Result<Duration> {
        self.order(format_args!("time {batch}"))?;
        self.duration()
    }

    /// Sends a datagram by each socket of the last batch, which are connected. Nothing is timed: it shows where
    /// they ended.
    ///
    /// # Errors
    /// When one is not.
    pub fn send_by_each(&mut self) -> io::Result<()> {
        self.order(format_args!("send"))?;
        self.duration().map(drop)
    }

    /// Receives an answer by each socket of the last batch, and says how long that took.
    ///
    /// # Errors
    /// When an answer does not come.
    pub fn time_receive(&mut self) -> io::Result<Duration> {
        self.order(format_args!("receive"))?;
        self.duration()
    }

    /// Closes the sockets of the last batch, and says how long that took.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn time_close(&mut self) -> io::Result<Duration> {
        self.order(format_args!("close"))?;
        self.duration()
    }

    fn duration(&mut self) -> io::Result<Duration> {
        let line = self.line()?;
        line.parse().map(Duration::from_nanos).map_err(|_| io::Error::other(line))
    }

    fn order(&mut self, order: fmt::Arguments<'_>) -> io::Result<()> {
        writeln!(self.orders, "{order}")
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the client is gone"));
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Only the process that this client started.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes this process a client and never returns, where [`Client::start`] started it.
pub fn serve_if_client() {
    if std::env::args().nth(1).as_deref() == Some(FLAG) {
        let status = match serve() {
            Ok(()) => 0,
            Err(_) => 1,
        };
        std::process::exit(status);
    }
}

enum Held {
    Nothing,
    Tcp(TcpStream),
    Udp(UdpSocket),
}

fn serve() -> io::Result<()> {
    let mut out = io::stdout();
    let mut held = Held::Nothing;
    let mut calls = calls::Calls::default();
    let mut gauge = Gauge::default();
    let mut orders = io::stdin().lines();
    while let Some(order) = orders.next() {
        let order = order?;
        match order.split_whitespace().collect::<Vec<_>>()[..] {
            ["connect", protocol, address] => match connect(protocol, address) {
                Ok((socket, answer)) => {
                    held = socket;
                    writeln!(out, "answer {} {}", peer(&held)?, answer)?;
                }
                Err(error) => writeln!(out, "{error}")?,
            },
            ["peer"] => match peer(&held) {
                Ok(peer) => writeln!(out, "{peer}")?,
                Err(error) => writeln!(out, "{error}")?,
            },
            ["reconnect", address] => match reconnect(&held, address) {
                Ok(peer) => writeln!(out, "{peer}")?,
                Err(error) => writeln!(out, "{error}")?,
            },
            ["storm", protocol, address] => {
                until_calm(&mut orders, &mut out, |calm| storm(protocol, address, calm))?;
            }
            ["rush", call, address, least] => {
                let parsed = (Rush::of_name(call), address.parse(), least.parse());
                let (Some(call), Ok(address), Ok(least)) = parsed else {
                    writeln!(out, "not an order: {order}")?;
                    continue;
                };
                until_calm(&mut orders, &mut out, |calm| {
                    call.run(address, least, calm).unwrap_or_else(|error| Storm {
                        failures: BTreeMap::from([(error.to_string(), 1)]),
                        ..Storm::default()
                    })
                })?;
            }
            ["time", ..] => {
                let batch = order.trim_start_matches("time ").parse();
                match batch.and_then(|batch| gauge.run(batch)) {
                    Ok(took) => writeln!(out, "{}", took.as_nanos())?,
                    Err(error) => writeln!(out, "{error}")?,
                }
            }
            ["send"] => match gauge.send() {
                Ok(()) => writeln!(out, "0")?,
                Err(error) => writeln!(out, "{error}")?,
            },
            ["receive"] => match gauge.receive() {
                Ok(took) => writeln!(out, "{}", took.as_nanos())?,
                Err(error) => writeln!(out, "{error}")?,
            },
            ["close"] => writeln!(out, "{}", gauge.close().as_nanos())?,
            _ => writeln!(out, "{}", calls.obey(&order))?,
        }
        out.flush()?;
    }
    Ok(())
}

/// Runs a storm in a thread and writes what came of it. Whatever comes next, `calm` or the end of the orders, ends it.
fn until_calm(
    orders: &mut impl Iterator<Item = io::Result<String>>,
    out: &mut impl Write,
    storm: impl FnOnce(&AtomicBool) -> Storm + Send,
) -> io::Result<()> {
    let calm = AtomicBool::new(false);
    let storm = thread::scope(|scope| {
        let storm = scope.spawn(|| storm(&calm));
        let _ = orders.next();
        calm.store(true, Ordering::Relaxed);
        storm.join().unwrap_or_default()
    });
    for (name, count) in storm.answers {
        writeln!(out, "answered {count} {name}")?;
    }
    for (error, count) in storm.failures {
        writeln!(out, "failed {count} {error}")?;
    }
    writeln!(out, "done")
}

fn connect(protocol: &str, address: &str) -> io::Result<(Held, String)> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    if protocol == "tcp" {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        return Ok((Held::Tcp(stream), answer));
    }
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(address)?;
    socket.send(b"who?")?;
    let mut answer = [0; 64];
    let length = socket.recv(&mut answer)?;
    let answer = String::from_utf8_lossy(answer.get(..length).unwrap_or_default()).into_owned();
    Ok((Held::Udp(socket), answer))
}

fn reconnect(held: &Held, address: &str) -> io::Result<SocketAddr> {
    if let Held::Udp(socket) = held {
        socket.connect(address)?;
    }
    peer(held)
}

fn peer(held: &Held) -> io::Result<SocketAddr> {
    match held {
        Held::Nothing => Err(io::Error::other("nothing is connected")),
        Held::Tcp(stream) => stream.peer_addr(),
        Held::Udp(socket) => socket.peer_addr(),
    }
}

fn storm(protocol: &str, address: &str, calm: &AtomicBool) -> Storm {
    let mut storm = Storm::default();
    let end = Instant::now() + LONGEST_STORM;
    for _ in 0..MOST_CONNECTS {
        if calm.load(Ordering::Relaxed) || Instant::now() > end {
            break;
        }
        let count = match connect(protocol, address) {
            Ok((_, name)) => storm.answers.entry(name).or_default(),
            Err(error) => storm.failures.entry(error.to_string()).or_default(),
        };
        *count += 1;
    }
    storm
}
