//! The file system in which pins live: whether it is there, and mounting it.

use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

use super::lock::{LockError, wait_for};
use super::sys::{SysError, gate};
use crate::fs::{FsError, Sharing, Way, call};
use crate::state::{StateDir, StateError};

/// `BPF_FS_MAGIC`: the letters of its author's choice.
pub(super) const BPF_FS: u64 = 0xcafe_4a11;

/// Where the kernel offers a mount point for it.
const USUAL: &str = "/sys/fs/bpf";

/// Where the lock for mounting there lies, which all instances share.
const USUAL_LOCK: &str = "/run/lrpc";

/// Why there is no bpffs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MountError {
    /// None is there, and none could be mounted.
    #[error("no bpffs at `{}`", .mount_at.display())]
    NoBpffs {
        /// Where to mount one.
        mount_at: PathBuf,
        /// Why it was not possible.
        source: SysError,
    },
    /// The place for one is not to be trusted.
    #[error(transparent)]
    Directory(#[from] FsError),
    /// The place for the lock cannot be used.
    #[error(transparent)]
    State(StateError),
    /// The lock for mounting cannot be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] SysError),
}

/// Whether a path, or the nearest directory above it that exists, is on a bpffs.
pub(crate) fn is_on_bpffs(path: &Path) -> Result<bool, SysError> {
    let fail =
        |call, error| SysError::new(format!("looking for a bpffs at `{}`", path.display()), call, error);
    for above in std::path::absolute(path).map_err(|error| fail("getcwd(2)", error))?.ancestors() {
        match gate::file_system_at(above) {
            Ok(kind) => return Ok(kind == BPF_FS),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(fail("statfs(2)", error)),
        }
    }
    Ok(false)
}

/// Whether a directory is on a bpffs.
pub(crate) fn holds(directory: impl AsFd) -> Result<bool, SysError> {
    let found = gate::file_system(directory.as_fd());
    Ok(found.map_err(|error| SysError::new("looking for a bpffs", "fstatfs(2)", error))? == BPF_FS)
}

/// Where a bpffs is to be mounted so that `directory` is on it.
pub(crate) fn mount_point(directory: &Path) -> PathBuf {
    if directory.starts_with(USUAL) { USUAL.into() } else { directory.to_owned() }
}

/// Sees to it that `directory` is on a bpffs once it exists, mounting one where there is none. Loaders that
/// come here at once mount one: they take a lock, and look again under it. The lock lies where no other user
/// can open it and never goes away: in `state`, or in a place of its own for the mount point that instances
/// share.
pub(crate) fn ensure(directory: &Path, state: &Path) -> Result<(), MountError> {
    if is_on_bpffs(directory)? {
        return Ok(());
    }
    let mount_at = mount_point(directory);
    let locks = if mount_at == Path::new(USUAL) { Path::new(USUAL_LOCK) } else { state };
    let lock = StateDir::new(locks.to_owned()).lockable().map_err(MountError::State)?;
    let _lock = wait_for(&lock, Sharing::Exclusive)?;
    if is_on_bpffs(directory)? {
        return Ok(());
    }
    let place = Way::make(&mount_at).map_err(|error| match error {
        FsError::Call(source) => MountError::NoBpffs { mount_at: mount_at.clone(), source },
        error @ (FsError::Untrusted { .. }
        | FsError::Kind { .. }
        | FsError::TooLong { .. }
        | FsError::Foreign { .. }) => error.into(),
    })?;
    let fail = |error: std::io::Error| MountError::NoBpffs {
        mount_at: mount_at.clone(),
        source: SysError::new(format!("mounting a bpffs on `{}`", mount_at.display()), "mount(2)", error),
    };
    // A mount would hide what is there.
    if !place.names()?.is_empty() {
        return Err(fail(Errno::NOTEMPTY.into()));
    }
    let place = format!("/proc/self/fd/{}", place.as_fd().as_raw_fd());
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    call("mount(2)", || mount("bpf", &place, "bpf", flags, c"mode=0700")).map_err(fail)
}
