//! Who may change what is pinned: a [`Reader`] looks, only a [`Writer`] attaches, replaces,
//! detaches, flips, puts, clears, pins and removes.

use std::ops::Deref;
use std::os::fd::BorrowedFd;

use super::instance::Lock;
use super::pins::{Folder, Pins};
use super::sys::link::{CgroupLink, Program};
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

/// A reader that is the only one. Outside of `kernel` every function that changes what packets see, or what is
/// pinned, is one of these or takes one.
#[derive(Debug)]
pub(crate) struct Writer {
    reader: Reader,
}

impl Writer {
    /// The writer of an instance under its exclusive lock.
    pub(crate) fn new(lock: Lock) -> Self {
        Self { reader: Reader { access: Access::Write, ..Reader::new(lock) } }
    }

    /// The instance's directory.
    pub(crate) fn root(&self) -> &Dir {
        self.pins.root()
    }

    /// Opens a directory, which is made where it is missing.
    pub(crate) fn make(&self, folder: &Folder) -> Result<Dir, FsError> {
        self.pins.make(folder)
    }

    /// Swaps the program of a link, provided that it still is `old`. Packets see one or the other.
    pub(crate) fn replace(&self, link: &CgroupLink, old: &Program, new: &Program) -> Result<(), SysError> {
        link.replace(old, new)
    }

    /// Takes the program of a link off its cgroup at once, whoever else holds the link.
    pub(crate) fn detach(&self, link: &CgroupLink) -> Result<(), SysError> {
        link.detach()
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
        self.root().remove(version)
    }
}

impl Deref for Writer {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}
