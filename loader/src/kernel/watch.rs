//! Watching: while somebody does, every decision is told into a ring buffer; else the programs tell nothing.
//!
//! A ring has one reader, so watching is a right of its own: the lock of the directory that the ring is pinned in. It
//! is narrower than a [`Writer`]'s, since no connect sees the switch, and it is not held against writers: a set can be
//! swapped while it is watched. The kernel gives the lock back however a watcher ends; a switch that a killed one left
//! on is put out by the next writer that finds nobody watching ([`quiet`]).

use std::os::fd::{AsFd, BorrowedFd};

use lrpc_schema::records::{CELL, COUNTERS, Cell, Decided, EVENTS, Switches};

use super::counters::Counters;
use super::lock::{LockError, take};
use super::pins::Folder;
use super::shared::{Shared, SharedError, Switch, active, open};
use super::sys::map::Map;
use super::sys::ring::Ring;
use super::sys::{Access, SysError};
use super::writer::{Reader, Writer};
use crate::fs::{DirLock, FsError, Sharing};

/// Holding one proves that nobody else takes decisions out of the ring. Decisions are told for as long as it lives.
#[derive(Debug)]
pub(crate) struct Watch {
    cell: Map,
    counters: Counters,
    switch: Switch,
    ring: Ring,
    _lock: DirLock,
}

/// Why nobody can watch.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    /// Somebody else watches.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// What is pinned cannot be used.
    #[error(transparent)]
    Shared(#[from] SharedError),
}

impl From<SysError> for WatchError {
    fn from(error: SysError) -> Self {
        Self::Shared(error.into())
    }
}

impl From<FsError> for WatchError {
    fn from(error: FsError) -> Self {
        Self::Shared(error.into())
    }
}

impl Watch {
    /// Begins to watch what a reader sees.
    pub(crate) fn begin(reader: &Reader) -> Result<Self, WatchError> {
        let missing = |name: &str| SharedError::Shape(name.to_owned());
        let directory = reader.open(&Folder::Sockets)?.ok_or_else(|| missing(EVENTS))?;
        let lock = take(&directory, Sharing::Exclusive)?;
        // Both are written, though nothing that a connect sees: a reader's own descriptors would not do.
        let opened = |folder: Folder, name: &str| {
            open(reader, &folder, name, Access::Write)?.ok_or_else(|| missing(name))
        };
        let (cell, ring) = (opened(Folder::Tables, CELL)?, Ring::of(opened(Folder::Sockets, EVENTS)?)?);
        let counters = Counters::open(reader)?.ok_or_else(|| missing(COUNTERS))?;
        let switch = Switch::of(&cell)?;
        switch.set(Switches::MONITOR);
        Ok(Self { cell, counters, switch, ring, _lock: lock })
    }

    /// What the cell says.
    pub(crate) fn cell(&self) -> Result<Cell, SysError> {
        active(&self.cell)
    }

    /// How many decisions could not be told, by all watchers so far.
    pub(crate) fn lost(&self) -> Result<u64, SysError> {
        self.counters.lost()
    }

    /// The next decision that was told; `None` where there is none yet.
    pub(crate) fn take(&mut self) -> Option<Decided> {
        self.ring.take().map(|record| Decided::from_bytes(&record))
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.switch.set(Switches::OFF);
    }
}

/// Puts out what a watcher that was killed has left on.
pub(crate) fn quiet(writer: &Writer, shared: &Shared) -> Result<(), WatchError> {
    if shared.switches()? == Switches::OFF {
        return Ok(());
    }
    let Some(directory) = writer.open(&Folder::Sockets)? else { return Ok(()) };
    match take(&directory, Sharing::Exclusive) {
        Ok(_nobody_else) => {
            shared.switch()?.set(Switches::OFF);
            Ok(())
        }
        Err(LockError::Busy { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
