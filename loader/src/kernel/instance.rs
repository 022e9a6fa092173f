//! `--bpffs`: the directory that is one instance's own.
//!
//! It is used where it is missing (and made), where it is empty, and where it carries the marker: a directory
//! in it whose name ends in the number of the layout, since a bpffs has no regular files. Anything else is
//! refused, and what is in it is named. The marker is made before the first pin and never removed, by `unload`
//! neither: it is what loaders lock. Its mode is 0700, so nobody else can open it and hold them up, and its
//! inode stays, so that whoever has waited holds the lock that everybody else waits for.
//!
//! INVARIANT: nothing in a directory without the marker is changed, and no lock is held on another inode than
//! the one that the path leads to.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::bpffs::{self, MountError};
use super::lock::{LockError, wait_for};
use super::sys::SysError;
use crate::fs::{Contents, Dir, DirLock, FsError, Sharing, Way};

/// The marker's name without the number.
const MARKER: &str = "lrpc-instance-";
/// The number of this layout.
const LAYOUT: u32 = 1;

/// What the kernel itself may put into every new bpffs.
const OF_THE_KERNEL: [&str; 2] = ["maps.debug", "progs.debug"];

/// The directory of pins of one instance. Holding one proves that it is on a bpffs, that nobody else can write
/// it, and that it carries the marker.
#[derive(Debug)]
pub(crate) struct Instance {
    dir: Dir,
    marker: Dir,
}

/// Holding one proves that no other loader changes what is pinned: beside an exclusive one there is no other,
/// beside a shared one others only read. The kernel gives it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    dir: Dir,
    lock: DirLock,
}

impl Lock {
    /// The directory of pins, and what keeps others from changing what is in it.
    pub(crate) fn into_parts(self) -> (Dir, DirLock) {
        (self.dir, self.lock)
    }
}

/// Why an instance's directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstanceError {
    /// There is no bpffs.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The directory is of others, or can be written by them.
    #[error(transparent)]
    Directory(#[from] FsError),
    /// A later version of lrpc made it.
    #[error("`{path}` was made by a later lrpc: it has layout {layout}", path = .path.display())]
    Later {
        /// The directory.
        path: PathBuf,
        /// The number of its layout.
        layout: u32,
    },
    /// It was removed, or its file system unmounted, while its lock was waited for.
    #[error("`{path}` was removed meanwhile", path = .0.display())]
    Gone(PathBuf),
    /// The lock cannot be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] SysError),
}

impl Instance {
    /// The instance at a path, for those who only look; `None` where nothing can be loaded, since the directory
    /// is missing or empty or on no bpffs.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, InstanceError> {
        match Way::open(path)? {
            Some(way) if bpffs::holds(&way)? && !not_of_the_kernel(way.names()?).is_empty() => {
                Self::adopt(way).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The instance at a path, made where it is missing, on a bpffs that is mounted where there is none.
    pub(crate) fn make(path: &Path, state: &Path) -> Result<Self, InstanceError> {
        bpffs::ensure(path, state)?;
        let way = Way::make(path)?;
        if !bpffs::holds(&way)? {
            let doing = format!("looking for a bpffs at `{}`", path.display());
            let source = SysError::new(doing, "fstatfs(2)", std::io::ErrorKind::NotFound);
            return Err(MountError::NoBpffs { mount_at: bpffs::mount_point(path), source }.into());
        }
        Self::adopt(way)
    }

    /// Takes a directory that is empty or has the marker.
    fn adopt(way: Way) -> Result<Self, InstanceError> {
        let names = not_of_the_kernel(way.names()?);
        let path = way.path().to_owned();
        match names.iter().filter_map(|name| layout(name)).max() {
            Some(layout) if layout > LAYOUT => return Err(InstanceError::Later { path, layout }),
            None if !names.is_empty() => {
                return Err(FsError::Foreign { path, contents: Contents(names) }.into());
            }
            _ => {}
        }
        let dir = way.own()?;
        let marker = dir.make_child(marker())?;
        Ok(Self { dir, marker })
    }

    /// Takes the lock of a writer, waiting for others for a while.
    pub(crate) fn lock_exclusive(self) -> Result<Lock, InstanceError> {
        self.lock(Sharing::Exclusive)
    }

    /// Takes the lock of a reader, beside which others may read.
    pub(crate) fn lock_shared(self) -> Result<Lock, InstanceError> {
        self.lock(Sharing::Shared)
    }

    fn lock(mut self, sharing: Sharing) -> Result<Lock, InstanceError> {
        loop {
            let lock = wait_for(&self.marker, sharing)?;
            // Somebody may have unmounted or removed the directory by hand meanwhile.
            let gone = || InstanceError::Gone(self.dir.path().to_owned());
            let present = Self::open(self.dir.path())?.ok_or_else(gone)?;
            if present.marker.identity()? == self.marker.identity()? {
                return Ok(Lock { dir: self.dir, lock });
            }
            self = present;
        }
    }
}

/// The names that the kernel has not put there.
fn not_of_the_kernel(mut names: Vec<OsString>) -> Vec<OsString> {
    names.retain(|name| !OF_THE_KERNEL.iter().any(|kernels| name == kernels));
    names
}

/// Whether something is pinned in a directory of pins, or a loader is about to pin something.
pub(crate) fn is_in_use(dir: &Dir) -> Result<bool, FsError> {
    if not_of_the_kernel(dir.names()?).iter().any(|name| layout(name).is_none()) {
        return Ok(true);
    }
    match dir.child(marker())? {
        Some(marker) => Ok(marker.try_lock(Sharing::Shared)?.is_none()),
        None => Ok(false),
    }
}

/// The layout that a marker's name says; `None` for every other name.
fn layout(name: &OsStr) -> Option<u32> {
    let number = name.to_str()?.strip_prefix(MARKER)?;
    number.parse().ok().filter(|layout: &u32| layout.to_string() == number)
}

/// Whether a name in an instance's directory is a marker.
pub(super) fn is_marker(name: &str) -> bool {
    layout(name.as_ref()).is_some()
}

fn marker() -> String {
    format!("{MARKER}{LAYOUT}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_markers_own_form_is_a_marker() {
        assert_eq!(layout(marker().as_ref()), Some(LAYOUT));
        assert_eq!(layout("lrpc-instance-12".as_ref()), Some(12));
        for other in
            ["lrpc-instance-", "lrpc-instance-01", "lrpc-instance-+1", "lrpc-instance-x", "lrpc", "1"]
        {
            assert_eq!(layout(other.as_ref()), None, "{other}");
        }
    }
}
