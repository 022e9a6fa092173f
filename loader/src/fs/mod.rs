//! Directories that nobody else can change, held by descriptor.
//!
//! Root works in directories below others' eyes: a bpffs that anyone may write, a state folder that someone
//! names. A path that was looked at is another path a moment later, so a [`Dir`] is looked at once, when it is
//! opened, and whatever is done in it goes by its descriptor and one name: nothing is ever resolved twice.
//! [`walk`] opens one, step by step from `/`; [`trust`] says whom a step may belong to; [`dir`] works on the
//! names in it, [`mod@file`] on the files, [`lock`] keeps others of us out.
//!
//! Each step is `openat` with `O_NOFOLLOW` of one name. `openat2` with `RESOLVE_BENEATH` would take the whole
//! path in one call, but could not show who owns the directories on the way; walking them is needed anyway,
//! is as safe, and is one way for every kernel and seccomp filter. Links on the way, such as `/var/run`, are
//! read and followed here, and only where root or we made them.
//!
//! INVARIANT: every system call that can fail passes the [`gate`], but getcwd(2) for a relative path, and one that
//! a signal interrupted is made again.

mod dir;
mod error;
mod file;
mod lock;
mod trust;
mod walk;

use std::io::{self, ErrorKind};

pub use dir::Identity;
pub(crate) use dir::{Dir, Way};
pub use error::{Contents, FsError};
pub(crate) use file::is_half;
pub(crate) use lock::{DirLock, Sharing};
pub use trust::Distrust;

use crate::kernel::sys::gate;

/// Makes a system call, again where a signal interrupted it.
pub(crate) fn call<T>(name: &'static str, mut make: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match gate::enter(name).and_then(|()| Ok(make()?)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// A scratch folder in memory, where there is such a place: tests that make every call fail once sync a thousand
/// times.
#[cfg(test)]
pub(crate) fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[cfg(test)]
mod tests;
