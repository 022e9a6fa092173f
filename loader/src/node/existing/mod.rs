//! What becomes of connections that exist when the tables change (L10).
//!
//! [`concern`] decides which connections a change concerns, [`sockets`](crate::kernel::sockets) finds and ends
//! them. They are looked for after the flip: what connects from then on goes the new way.

mod concern;
mod overlooked;

use lrpc_linker::MapSet;
use lrpc_schema::records::{PEERS, Table};
use serde::Serialize;

pub(crate) use self::concern::Concern;
use self::concern::Connection;
pub use self::overlooked::Overlooked;
pub(in crate::node) use self::overlooked::overlooked;
use super::loaded::{Found, Loaded};
use super::{Error, Node};
use crate::kernel::cgroup::{Below, Cgroup};
use crate::kernel::pins::Folder;
use crate::kernel::pods::identities;
use crate::kernel::sockets::{Deed, Socket, Swept, sweep};
use crate::kernel::sys::map::{Kind, Map};
use crate::kernel::writer::Reader;
use crate::resolve::{Conduct, Identities, resolve};
use crate::tables::Packed;

/// What becomes of connections that exist (L10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// They stay where they are, and nobody looks at them.
    #[default]
    Keep,
    /// Those that the change concerns are closed.
    Close,
}

/// What became of existing connections that a change concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExistingCount {
    /// How many could not be closed, as far as they could be counted.
    pub kept: u64,
    /// How many were closed.
    pub closed: u64,
}

/// How often connections are looked for: a program run that read the cell before the flip may connect a socket
/// after it was looked for.
const ROUNDS: usize = 3;

/// One side of a change of this node.
#[derive(Clone, Copy, Debug)]
pub enum Side<'a> {
    /// What is active.
    Active,
    /// What a map set would be.
    Linked(&'a MapSet),
}

/// How many connections a change concerns.
#[derive(Debug)]
pub struct Concerned {
    /// How many there are, as far as they could be looked at.
    pub connections: u64,
    /// Why some could not.
    pub troubles: Vec<Error>,
}

impl Node {
    /// Counts the connections of this node that a change concerns (L10). Nothing is changed.
    ///
    /// # Errors
    /// What is active cannot be read, or a map set not be loaded.
    pub fn concerned(&self, old: Side<'_>, new: Side<'_>) -> Result<Concerned, Error> {
        let reader = self.reader()?;
        let found = reader.as_ref().map(Found::read).transpose()?.unwrap_or(Found::Nothing);
        let cgroup = self.cgroup()?;
        let record = found.loaded().map(Loaded::record).transpose()?.flatten();
        let node_netns = record.and_then(|record| record.node_netns);
        let identities = Identities { node_netns, ..identities(cgroup.path(), cgroup.level())? };
        let tables = |side| match side {
            Side::Active => active(&found),
            Side::Linked(set) => Ok(resolve(set, Conduct::Act, &identities)?.packed.to_vec()),
        };
        let concern = Concern::between(&tables(old)?, &tables(new)?);
        let (connections, troubles) = concern.count(reader.as_ref(), &cgroup);
        Ok(Concerned { connections, troubles })
    }
}

/// The tables that are active; none where nothing is loaded.
fn active(found: &Found) -> Result<Vec<(Table, Packed)>, Error> {
    match found {
        Found::Nothing => Ok(Vec::new()),
        Found::Orphaned(map) => Err(Error::Orphaned(map)),
        Found::Loaded(loaded) => loaded.tables(),
    }
}

impl Connection {
    fn of(socket: &Socket, below: &Below) -> Self {
        let Socket { protocol, remote, peer, cgroup, netns, .. } = *socket;
        let cgroups = cgroup.into_iter().flat_map(|cgroup| below.ancestry(cgroup)).collect();
        Self { protocol, remote, peer, cgroups, netns }
    }
}

impl Concern {
    /// What other tables change of what is active.
    ///
    /// # Errors
    /// What is active cannot be read.
    pub(super) fn of(found: &Found, new: &[(Table, Packed)]) -> Result<Self, Error> {
        Ok(Self::between(&active(found)?, new))
    }

    /// How many connections below a cgroup are concerned now, and what could not be looked at.
    pub(super) fn count(&self, reader: Option<&Reader>, cgroup: &Cgroup) -> (u64, Vec<Error>) {
        if self.is_none() {
            return (0, Vec::new());
        }
        match self.sweep(reader, cgroup, Deed::Count) {
            Ok((swept, invisible)) => (swept.found, overlooked(swept, invisible)),
            Err(error) => (0, vec![error]),
        }
    }

    /// Closes the connections below a cgroup that are concerned, and looks whether any is left.
    pub(super) fn close(&self, reader: &Reader, cgroup: &Cgroup) -> (ExistingCount, Vec<Error>) {
        let (mut count, mut troubles) = (ExistingCount::default(), Vec::new());
        if self.is_none() {
            return (count, troubles);
        }
        for _ in 0..ROUNDS {
            let (swept, invisible) = match self.sweep(Some(reader), cgroup, Deed::Close) {
                Ok(swept) => swept,
                Err(error) => {
                    troubles.push(error);
                    break;
                }
            };
            count.closed += swept.closed;
            count.kept = swept.found - swept.closed;
            let is_over = swept.closed == 0;
            troubles = overlooked(swept, invisible);
            if is_over {
                break;
            }
        }
        (count, troubles)
    }

    /// Also says how many processes cannot be seen from here.
    fn sweep(&self, reader: Option<&Reader>, cgroup: &Cgroup, deed: Deed) -> Result<(Swept, usize), Error> {
        let below = Below::of(cgroup)?;
        let peers = reader.map(peers).transpose()?.flatten();
        let is_meant = |socket: &Socket| self.holds(&Connection::of(socket, &below));
        let swept = sweep(&below, peers.as_ref(), &is_meant, deed)?;
        Ok((swept, below.invisible))
    }
}

/// The storage in which sockets remember; `None` where there is none of ours yet.
pub(super) fn peers(reader: &Reader) -> Result<Option<Map>, Error> {
    let peers = reader.map(&Folder::Sockets, PEERS, reader.access())?;
    Ok(peers.filter(|map| map.shape().kind == Kind::SocketStorage))
}
