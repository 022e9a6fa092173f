//! `--state`: what was done, and what was loaded.
//!
//! ```text
//! lrpc-instance           whose memory it is
//! lrpc-lock/              locked while that is written
//! history.jsonl           a line for each apply, rollback and unload, oldest first
//! images/HEX.lrpc         the images of kept generations
//! generations/N.lrpcgen   resident generations whole, to be loaded again after a reboot
//! ```
//! The kernel says what is active; this directory only remembers. Losing it loses names and history, never
//! traffic. It is written before the flip where that is possible, so that a directory that cannot be written is
//! known while nothing has changed. [`marker`] says who may write, [`history`], [`images`] and [`generations`]
//! are what is kept; `docs/state-format.md` draws it.
//!
//! INVARIANT: whatever is written is on disk when the call returns; a file is replaced whole or not at all, and
//! only names of the forms above are ever removed.

mod error;
mod event;
mod generations;
mod history;
mod images;
mod marker;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub use error::{Damage, StateError};
pub use event::{Action, Event, Outcome};
pub(crate) use generations::LoadedAs;

use crate::fs::{Dir, Identity, is_half};

/// Where the state directory is. Each method opens it afresh, and looks again whom it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct StateDir {
    root: PathBuf,
}

impl StateDir {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    /// The kernel's numbers of it; `None` where there is none.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, StateError> {
        Ok(Dir::open(&self.root)?.map(|dir| dir.identity()).transpose()?)
    }

    /// The directory for who only reads; `None` where there is none.
    fn readable(&self) -> Result<Option<Dir>, StateError> {
        let Some(dir) = Dir::open(&self.root)? else {
            return Ok(None);
        };
        marker::refuse_foreign(&dir)?;
        Ok(Some(dir))
    }

    /// A directory in it for who only reads; `None` where there is none.
    fn folder(&self, name: &str) -> Result<Option<Dir>, StateError> {
        Ok(self.readable()?.map(|dir| dir.child(name)).transpose()?.flatten())
    }

    /// The directory for who writes.
    fn make(&self) -> Result<Dir, StateError> {
        let dir = Dir::make(&self.root)?;
        marker::refuse_foreign(&dir)?;
        Ok(dir)
    }

    /// Removes what is not needed from a directory in this one.
    fn sweep_folder(
        &self,
        folder: &str,
        is_ours: impl Fn(&OsStr) -> bool,
        is_needed: impl Fn(&OsStr) -> bool,
    ) -> Result<(), StateError> {
        match self.folder(folder)? {
            Some(dir) => sweep(&dir, |name| is_ours(name) && !is_needed(name)),
            None => Ok(()),
        }
    }

    /// Removes what a writer that died has left half-written beside those directories.
    fn sweep_halves(&self) -> Result<(), StateError> {
        self.readable()?.map_or(Ok(()), |dir| sweep(&dir, |_| false))
    }
}

/// Removes files that have become needless, and half-written ones. The first error is told when all have been
/// tried.
fn sweep(dir: &Dir, is_needless: impl Fn(&OsStr) -> bool) -> Result<(), StateError> {
    let mut done = Ok(());
    for name in dir.names()? {
        if is_half(&name) || is_needless(&name) {
            // One that stays keeps no other from going.
            done = done.and(dir.remove_file(&name));
        }
    }
    Ok(done?)
}

#[cfg(test)]
mod tests;
