//! Who may change what is pinned: a [`Reader`] looks, only a [`Writer`] flips, puts, clears and removes.

use std::ops::Deref;
use std::os::fd::BorrowedFd;

use super::instance::Lock;
use super::pins::{Folder, Pins};
use super::sys::{Access, SysError, pin};
use crate::fs::{Dir, DirLock, FsError};

/// Holding one proves that the instance's directory is lrpc's, that nobody else can change it, and that no
/// writer does while it lives.
#[derive(Debug)]
pub(crate) struct Reader {
    pins: Pins,
    access: Access,
    _lock: DirLock,
}

impl Reader {
    /// The reader of an instance under its lock.
    pub(crate) fn new(lock: Lock) -> Self {
        let (root, lock) = lock.into_parts();
        Self { pins: Pins::new(root), access: Access::Read, _lock: lock }
    }

    /// What objects are opened for.
    pub(crate) fn access(&self) -> Access {
        self.access
    }
}

impl Deref for Reader {
    type Target = Pins;

    fn deref(&self) -> &Pins {
        &self.pins
    }
}

/// A reader that is the only one. Every function that changes what packets see, or what is pinned, takes one.
#[derive(Debug)]
pub(crate) struct Writer {
    reader: Reader,
}

impl Writer {
    /// The writer of an instance under its exclusive lock.
    pub(crate) fn new(lock: Lock) -> Self {
        Self { reader: Reader { access: Access::Write, ..Reader::new(lock) } }
    }

    /// Pins an object under a name that nothing has.
    pub(crate) fn pin(&self, fd: BorrowedFd<'_>, directory: &Dir, name: &str) -> Result<(), SysError> {
        pin(fd, directory, name)
    }

    /// Removes a directory with all that is in it; returns how many pins there were.
    pub(crate) fn remove(&self, folder: &Folder) -> Result<usize, FsError> {
        self.pins.remove(folder)
    }

    /// Removes one name in a directory.
    pub(crate) fn unpin(&self, folder: &Folder, name: &str) -> Result<usize, FsError> {
        self.open(folder)?.map_or(Ok(0), |directory| directory.remove(name))
    }

    /// Removes a directory that is empty; another stays.
    pub(crate) fn remove_if_empty(&self, folder: &Folder) -> Result<(), FsError> {
        if self.names(folder)?.is_empty() { self.remove(folder).map(drop) } else { Ok(()) }
    }

    /// Renames a directory in one step.
    pub(crate) fn rename(&self, from: &Folder, to: &Folder) -> Result<(), FsError> {
        self.pins.rename(from, to)
    }

    /// Removes everything of another ABI version; returns how many pins there were.
    pub(crate) fn remove_version(&self, version: &str) -> Result<usize, FsError> {
        self.pins.root().remove(version)
    }
}

impl Deref for Writer {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}
