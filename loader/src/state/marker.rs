//! Whose memory a state directory is: the file `lrpc-instance`.
//!
//! It names the directory of pins whose instance writes here, by its numbers in the kernel and the boot in which
//! they count. A path would not do: a container sees one bpffs under another path than its host, and two hosts'
//! worth of mounts under the same. So
//!
//! - where the numbers are ours, we go on, under whatever path;
//! - after a reboot every pin is gone, so whoever comes first goes on from what is remembered;
//! - in the same boot, with other numbers, the other instance is looked for at the path that it gave. Where it
//!   is and has something pinned, or a loader at work, we are refused: two instances would remove each other's
//!   images. Where it is not, as after `unload`, or after its bpffs was unmounted, we take over. An instance
//!   that another container hides from us is taken for gone; all that it loses are names and history.
//!
//! A directory without the marker is taken if it is empty, or if it holds a history that lrpc wrote. Any other
//! is of others, is refused, and nothing in it is touched.

use std::io::Write;
use std::path::Path;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::{StateDir, StateError, history};
use crate::fs::{Contents, Dir, FsError, Identity, Sharing, call, is_half};
use crate::kernel::instance::is_in_use;
use crate::kernel::lock::wait_for;
use crate::kernel::sys::SysError;

const MARKER: &str = "lrpc-instance";
/// The number of this layout of the directory.
const FORMAT: u32 = 1;
/// No marker is longer.
const LONGEST: u64 = 1 << 16;

/// The directory that is locked. Its mode is 0700, so that nobody else can open it.
const LOCK: &str = "lrpc-lock";

/// Whose memory it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    /// The layout of the state directory.
    format: u32,
    /// The boot in which the numbers count.
    boot: String,
    /// The numbers of the directory of pins.
    #[serde(flatten)]
    identity: Identity,
    /// Where it was; for messages and to look for it.
    pins: String,
}

/// What is understood of a marker of any format.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl StateDir {
    /// Makes this the memory of the instance with these pins, and sure that the history can be written. The
    /// caller holds the instance's lock.
    ///
    /// # Errors
    /// The directory is of others, is that of another instance that is loaded, or cannot be written.
    pub(crate) fn claim(&self, pins: &Dir) -> Result<Identity, StateError> {
        let dir = self.make()?;
        let ours = Marker {
            format: FORMAT,
            boot: boot()?,
            identity: pins.identity().map_err(StateError::Directory)?,
            pins: pins.path().to_string_lossy().into_owned(),
        };
        if read(&dir)?.as_ref() != Some(&ours) {
            let _lock = wait_for(&self.lockable()?, Sharing::Exclusive)?;
            take_over(&dir, &ours)?;
        }
        // After the marker: a folder with nothing but an empty history would not be known as ours.
        history::writable(&dir)?;
        Ok(dir.identity()?)
    }

    /// The directory whose lock is held while a marker is written or a bpffs mounted.
    ///
    /// # Errors
    /// The state directory is of others or cannot be written.
    pub(crate) fn lockable(&self) -> Result<Dir, StateError> {
        Ok(self.make()?.make_child(LOCK)?)
    }
}

/// Writes our marker, unless the instance that a marker names is loaded. The caller holds the lock.
fn take_over(dir: &Dir, ours: &Marker) -> Result<(), StateError> {
    if let Some(theirs) = read(dir)?
        && theirs.identity != ours.identity
        && theirs.boot == ours.boot
        && is_loaded(&theirs)?
    {
        return Err(StateError::OfAnother { state: dir.path().to_owned(), pins: theirs.pins });
    }
    let json = serde_json::to_vec(ours).map_err(StateError::Unwritable)?;
    Ok(dir.replace(MARKER, |file| file.write_all(&json))?)
}

/// Refuses a directory that is not lrpc's.
pub(super) fn refuse_foreign(dir: &Dir) -> Result<(), StateError> {
    let mut names = dir.names()?;
    if names.iter().any(|name| name == MARKER) {
        return Ok(());
    }
    names.retain(|name| name != LOCK && !is_half(name));
    if names.is_empty() || !history::read(dir)?.events.is_empty() {
        return Ok(());
    }
    Err(FsError::Foreign { path: dir.path().to_owned(), contents: Contents(names) }.into())
}

/// The marker; `None` where there is none that says anything.
fn read(dir: &Dir) -> Result<Option<Marker>, StateError> {
    let Some(json) = dir.read(MARKER, LONGEST)? else {
        return Ok(None);
    };
    // One that was damaged says nothing, and is written anew.
    match serde_json::from_slice(&json) {
        Ok(Format { format }) if format > FORMAT => {
            Err(StateError::Later { path: dir.path().join(MARKER), format })
        }
        _ => Ok(serde_json::from_slice(&json).ok()),
    }
}

/// Whether the instance that a marker names is still there, and is loaded or about to be.
fn is_loaded(marker: &Marker) -> Result<bool, StateError> {
    match Dir::open(Path::new(&marker.pins)) {
        Ok(Some(pins)) => Ok(pins.identity()? == marker.identity && is_in_use(&pins)?),
        Err(error @ FsError::Call(_)) => Err(error.into()),
        // What others have made there meanwhile is no instance.
        Ok(None) | Err(_) => Ok(false),
    }
}

/// The number that the kernel gave this boot.
fn boot() -> Result<String, StateError> {
    let path = "/proc/sys/kernel/random/boot_id";
    let read =
        || std::fs::read_to_string(path).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO));
    let id = call("read(2)", read)
        .map_err(|error| FsError::Call(SysError::new(format!("reading `{path}`"), "read(2)", error)))?;
    Ok(id.trim().to_owned())
}
