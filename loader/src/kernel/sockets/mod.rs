//! The connected sockets of a node, in all of its network namespaces, and how they are closed.
//!
//! The kernel lists sockets and ends them by netlink, in the network namespace of whoever asks: [`sweep`] goes
//! through the [`namespaces`] of the processes below a cgroup, with the [`message`]s that ask, and what UDP sockets
//! remember is asked for apart from them ([`memory`]). What a socket remembers wants CAP_BPF, ending it CAP_NET_ADMIN in its namespace and a kernel with
//! `CONFIG_INET_DIAG_DESTROY`.
//!
//! INVARIANT: no socket is shown, and so none is ended, that was not made in a cgroup at or below the given one.

mod memory;
mod message;
mod namespaces;

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::thread;

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::Peer;

use self::memory::Memory;
use self::message::Name;
pub(crate) use self::namespaces::Place;
use super::cgroup::Below;
use super::sys::map::Map;
use super::sys::netlink::{Asked, SockDiag};
use super::sys::netns::Netns;
use super::sys::{SysError, gate};

/// A connected socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    name: Name,
    pub(crate) protocol: Protocol,
    /// Its own end.
    pub(crate) local: SocketAddr,
    /// Where its packets go.
    pub(crate) remote: SocketAddr,
    /// What our programs made it remember.
    pub(crate) peer: Option<Peer>,
    /// The kernel's number of the cgroup that it was made in.
    pub(crate) cgroup: Option<u64>,
    /// Its network namespace.
    pub(crate) netns: Netns,
}

/// What is to become of the sockets that are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Count,
    Close,
}

/// What a sweep has found and done.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Sockets that are meant.
    pub(crate) found: u64,
    /// Those among them that were ended.
    pub(crate) closed: u64,
    /// Sockets of which it cannot be told.
    pub(crate) untold: usize,
    /// Namespaces that could not be looked into.
    pub(crate) unseen: Vec<(Place, SysError)>,
    /// Why a socket could not be ended, for each that could not.
    pub(crate) unclosed: Vec<SysError>,
}

/// Goes through the connected sockets that were made below a cgroup, in this thread's network namespace and in
/// those of the cgroup's processes, and does its deed to those that `is_meant`, where that can be told. `peers` is the storage in which
/// they remember.
pub(crate) fn sweep(
    below: &Below,
    peers: Option<&Map>,
    is_meant: &(dyn Fn(&Socket) -> Option<bool> + Sync),
    deed: Deed,
) -> Result<Swept, SysError> {
    let inherited = gate::Inherited::of_this_thread();
    let work = || {
        let mut swept = Swept::default();
        let here = || swept.here(below, peers, is_meant, deed);
        let unseen = namespaces::in_each(&below.processes, here);
        Swept { unseen, ..swept }
    };
    // A thread that has entered a namespace does not come back.
    thread::scope(|scope| {
        let spawned = gate::enter("clone3(2)")
            .and_then(|()| thread::Builder::new().spawn_scoped(scope, || inherited.run(work)));
        let spawned = spawned.map_err(|error| SysError::new("looking for sockets", "clone3(2)", error))?;
        Ok(spawned.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

impl Swept {
    /// Goes through the sockets of this thread's network namespace.
    fn here(
        &mut self,
        below: &Below,
        peers: Option<&Map>,
        is_meant: &dyn Fn(&Socket) -> Option<bool>,
        deed: Deed,
    ) -> Result<(), SysError> {
        let fail = |call: &'static str| move |error| SysError::new("listing sockets", call, error);
        let mut kernel = SockDiag::open().map_err(fail("socket(2)"))?;
        let mut sockets = Vec::new();
        for protocol in Protocol::ALL {
            for family in message::FAMILIES {
                let question = message::list(family, protocol, peers.map(AsFd::as_fd));
                let mut each = |answer: &[u8]| {
                    let is_ours = |socket: &Socket| socket.cgroup.is_some_and(|id| below.holds(id));
                    sockets.extend(message::socket(answer, protocol).filter(is_ours));
                };
                kernel
                    .ask(message::BY_FAMILY, Asked::Dump, &question, &mut each)
                    .map_err(fail("netlink(SOCK_DIAG_BY_FAMILY)"))?;
            }
        }
        if let Some(peers) = peers {
            remember(&mut sockets, peers)?;
        }
        let netns = Netns::own();
        sockets.iter_mut().for_each(|socket| socket.netns = netns);
        let told = sockets.iter().map(|socket| (socket, is_meant(socket)));
        let (told, untold): (Vec<_>, Vec<_>) = told.partition(|(_, is_meant)| is_meant.is_some());
        let meant: Vec<_> = told.iter().filter(|(_, is_meant)| *is_meant == Some(true)).collect();
        self.untold += untold.len();
        self.found += meant.len() as u64;
        if deed == Deed::Count {
            return Ok(());
        }
        for (socket, _) in meant {
            match kernel.ask(message::DESTROY, Asked::Deed, &message::destroy(&socket.name), &mut |_| {}) {
                Ok(()) => self.closed += 1,
                // It has ended by itself, or another has its name meanwhile.
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESTALE)) => {}
                Err(error) => {
                    self.unclosed.push(SysError::new("closing a connection", "netlink(SOCK_DESTROY)", error));
                }
            }
        }
        Ok(())
    }
}

/// Adds what UDP sockets of this thread's network namespace remember.
fn remember(sockets: &mut [Socket], peers: &Map) -> Result<(), SysError> {
    let mut udp = sockets.iter_mut().filter(|socket| socket.protocol == Protocol::Udp).peekable();
    if udp.peek().is_none() {
        return Ok(());
    }
    let memory = Memory::of(peers)?;
    udp.try_for_each(|socket| {
        socket.peer = memory.read(socket.local, socket.remote)?;
        Ok(())
    })
}
