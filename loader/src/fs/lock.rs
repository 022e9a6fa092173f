//! `flock` on a [`Dir`]. Nobody who cannot open the directory can take it.

use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};
use rustix::io::Errno;
use std::os::fd::OwnedFd;

use super::dir::Dir;
use super::walk::failed;
use super::{FsError, call};

/// Holding one proves that the directory is locked; the kernel gives the lock back when the process ends,
/// however it ends.
#[derive(Debug)]
pub(crate) struct DirLock {
    _directory: OwnedFd,
}

/// Beside whom a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Nobody.
    Exclusive,
    /// Others who share it.
    Shared,
}

impl Dir {
    /// Takes the lock, without waiting; `None` where another holds it.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(crate) fn try_lock(&self, sharing: Sharing) -> Result<Option<DirLock>, FsError> {
        // A lock belongs to what one open(2) made, so it needs an open of its own.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = call("openat(2)", || openat(self, ".", flags, Mode::empty()))
            .map_err(|error| failed("locking", self.path(), "openat(2)", error))?;
        let operation = match sharing {
            Sharing::Exclusive => FlockOperation::NonBlockingLockExclusive,
            Sharing::Shared => FlockOperation::NonBlockingLockShared,
        };
        match call("flock(2)", || flock(&directory, operation)) {
            Ok(()) => Ok(Some(DirLock { _directory: directory })),
            Err(error) if error.raw_os_error() == Some(Errno::WOULDBLOCK.raw_os_error()) => Ok(None),
            Err(error) => Err(failed("locking", self.path(), "flock(2)", error)),
        }
    }
}
