//! The tables of a generation, and the maps beside them.

use core::fmt;

/// A table of a generation. Each has an outer `ARRAY_OF_MAPS` of its name, whose slots hold one inner map per
/// resident generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Hash: [`FrontendKey`](super::FrontendKey) to [`FrontendValue`](super::FrontendValue).
    Frontends,
    /// Array: index to [`Backend`](super::Backend); a frontend with several backends owns a run of it.
    Backends,
    /// Hash: [`MemberKey`](super::MemberKey) to a word that says nothing more.
    Members,
    /// Array of words: what the frontend table may hold; see [`filter`](super::filter).
    Filter,
    /// Array of one: [`Meta`](super::Meta) for the programs, followed by the loader's own record up to
    /// [`META_SIZE`].
    Meta,
}

impl Table {
    /// Every table, in the order in which they are written; the record of a generation comes last.
    pub const ALL: [Self; 5] = [Self::Frontends, Self::Backends, Self::Members, Self::Filter, Self::Meta];

    /// The table's name: that of its outer map, of its pins and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frontends => "frontends",
            Self::Backends => "backends",
            Self::Members => "members",
            Self::Filter => "filter",
            Self::Meta => "meta",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Name of the array map whose first element is the [`Cell`](super::Cell); the second is
/// [`Switches`](super::Switches).
pub const CELL: &str = "cell";
/// Name of the socket storage that holds a [`Peer`](super::Peer) per connected and redirected socket.
pub const PEERS: &str = "peers_v1";
/// Name of the socket storage that holds the [`Datagrams`](super::Datagrams) of an unconnected socket.
pub const DATAGRAMS: &str = "datagrams_v1";
/// Name of the hash that holds the [`Counts`](super::Counts) of each frontend, one value per CPU.
pub const COUNTERS: &str = "counters_v1";
/// Name of the ring buffer that takes a [`Decided`](super::Decided) for each decision while somebody looks.
pub const EVENTS: &str = "events_v1";

/// Size in bytes of the one value of the `meta` table: [`Meta`](super::Meta), then the loader's record,
/// zero-filled.
pub const META_SIZE: usize = 8192;
