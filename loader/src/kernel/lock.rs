//! Waiting for another loader, within bounds.

use std::fmt;
use std::fs;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{Stat, fstat, major, minor};

use crate::fs::{Dir, DirLock, FsError, Sharing};

/// What kept a lock from being taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Another process holds it.
    #[error("{holder} has locked `{path}`", path = .path.display())]
    Busy {
        /// The locked directory.
        path: PathBuf,
        /// Who, as far as it is known.
        holder: Holder,
    },
    /// The directory cannot be used.
    #[error(transparent)]
    Directory(#[from] FsError),
}

/// The process that holds a lock; `None` where the kernel does not name it, as across containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(process) => write!(f, "process {process}"),
            None => f.write_str("another process"),
        }
    }
}

/// How long another loader is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether it is gone.
const PAUSE: Duration = Duration::from_millis(2);

/// Takes the lock of a directory, waiting for at most five seconds.
pub(crate) fn wait_for(directory: &Dir, sharing: Sharing) -> Result<DirLock, LockError> {
    let since = Instant::now();
    loop {
        if let Some(lock) = directory.try_lock(sharing)? {
            return Ok(lock);
        }
        if since.elapsed() >= PATIENCE {
            return Err(busy(directory));
        }
        sleep(PAUSE);
    }
}

/// Takes the lock of a directory, if nobody has it.
pub(crate) fn take(directory: &Dir, sharing: Sharing) -> Result<DirLock, LockError> {
    directory.try_lock(sharing)?.ok_or_else(|| busy(directory))
}

fn busy(directory: &Dir) -> LockError {
    LockError::Busy { path: directory.path().to_owned(), holder: holder(directory) }
}

/// Who holds the lock of a directory, as `/proc/locks` tells it.
fn holder(directory: impl AsFd) -> Holder {
    // Only for a message: where it cannot be read, the message names nobody.
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    Holder(fstat(directory).ok().and_then(|found| named(&locks, &found)))
}

/// Lines read `1: FLOCK  ADVISORY  WRITE 1234 00:2f:5678 0 EOF`: the process, then device and inode. A process
/// of another container has the number 0, or one below it.
fn named(locks: &str, found: &Stat) -> Option<u32> {
    let file = format!("{:02x}:{:02x}:{}", major(found.st_dev), minor(found.st_dev), found.st_ino);
    locks.lines().find_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [_, "FLOCK", _, _, process, at, ..] if at == file => {
            process.parse().ok().filter(|&process| process > 0)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap().unwrap();
        assert_eq!(holder(&directory), Holder(None));
        let _lock = wait_for(&directory, Sharing::Exclusive).unwrap();
        assert_eq!(holder(&directory), Holder(Some(std::process::id())));
    }

    #[test]
    fn a_process_of_another_container_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let found = fstat(Dir::open(folder.path()).unwrap().unwrap()).unwrap();
        let file = format!("{:02x}:{:02x}:{}", major(found.st_dev), minor(found.st_dev), found.st_ino);
        let line = |process: &str| format!("1: FLOCK  ADVISORY  READ {process} {file} 0 EOF\n");
        let other =
            "1: POSIX  ADVISORY  WRITE 7 00:01:2 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 8 00:01:2 0 EOF\n";
        assert_eq!(named(&(other.to_owned() + &line("9")), &found), Some(9));
        assert_eq!(named(&line("0"), &found), None);
        assert_eq!(named(&line("-1"), &found), None);
        assert_eq!(named(other, &found), None);
    }
}
