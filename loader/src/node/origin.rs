//! `lrpc origin`: who stands behind a connection that a backend has accepted.
//!
//! The backend sees the client's end of it. That end is a socket in some network namespace of this node, which was
//! made in the client's cgroup and remembers what it asked for: it is looked for as L10 looks for the connections that
//! a change concerns. Nothing is written down for it when connections are made.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use lrpc_schema::protocol::Protocol;
use serde::Serialize;

use super::apply::in_words;
use super::existing::{overlooked, peers};
use super::names::{Names, Owner, shown};
use super::{Error, Node};
use crate::kernel::cgroup::Below;
use crate::kernel::sockets::{Deed, Socket, sweep};
use crate::record::text;

/// The client's end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Its protocol.
    #[serde(serialize_with = "text::serialize")]
    pub protocol: Protocol,
    /// The client's end, as the backend sees it.
    pub client: SocketAddr,
    /// The other end: the backend.
    pub backend: SocketAddr,
    /// What the client asked for, `ADDR:PORT/PROTO`; `None` where it asked for the backend itself.
    pub frontend: Option<String>,
    /// The policy of that frontend, `NAMESPACE/NAME`, where the active set has it.
    pub policy: Option<String>,
    /// Whose it is.
    #[serde(flatten)]
    pub by: Owner,
}

/// What stands behind an address and port.
#[derive(Debug, Serialize)]
pub struct Origins {
    /// The sockets that have this end: one, unless several protocols or network namespaces have it.
    pub origins: Vec<Origin>,
    /// What kept some from being looked at.
    #[serde(serialize_with = "in_words")]
    pub troubles: Vec<Error>,
}

impl Node {
    /// Looks for the connected sockets of this node whose own end is at an address and port.
    ///
    /// # Errors
    /// Nothing is loaded, or the kernel refuses.
    pub fn origin(&self, client: SocketAddr) -> Result<Origins, Error> {
        let reader = self.reader()?.ok_or(Error::NothingLoaded)?;
        let mut names = Names::default();
        names.learn(self, &*self.loaded(&reader)?)?;
        let below = Below::of(&self.cgroup()?)?;
        let client = canonical(client);
        let found = Mutex::new(Vec::new());
        let is_meant = |socket: &Socket| {
            let is_meant = canonical(socket.local) == client;
            if is_meant {
                found.lock().unwrap_or_else(PoisonError::into_inner).push(socket.clone());
            }
            Some(is_meant)
        };
        let swept = sweep(&below, peers(&reader)?.as_ref(), &is_meant, Deed::Count)?;
        let sockets = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let origins = sockets.iter().map(|socket| origin(socket, &mut names)).collect::<Result<_, _>>()?;
        Ok(Origins { origins, troubles: overlooked(swept, below.invisible) })
    }
}

fn origin(socket: &Socket, names: &mut Names) -> Result<Origin, Error> {
    let backend = canonical(socket.remote);
    // What was remembered of another peer is of another connect.
    let peer = socket.peer.filter(|peer| {
        let to = peer.backend();
        SocketAddr::new(to.address(), to.port()) == backend
    });
    let frontend = peer.map(|peer| peer.frontend());
    Ok(Origin {
        protocol: socket.protocol,
        client: canonical(socket.local),
        backend,
        policy: frontend.and_then(|frontend| names.policy(&frontend)),
        frontend: frontend.map(|frontend| shown(&frontend)),
        by: socket.cgroup.map_or_else(|| Ok(Owner::default()), |cgroup| names.of_cgroup(cgroup))?,
    })
}

/// An end of a connection without what only its socket's family makes of it.
fn canonical(end: SocketAddr) -> SocketAddr {
    SocketAddr::new(end.ip().to_canonical(), end.port())
}
