//! One loader at a time: `flock` on the directory of pins.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::sys::SysError;

/// Holding one proves that no other loader changes what is pinned below the directory; the kernel gives it
/// back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _directory: File,
}

/// What kept a lock from being taken.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another loader holds it.
    Busy,
    /// The directory does not exist: nothing is loaded.
    Missing,
    /// The kernel refused.
    Refused(SysError),
}

/// How long another loader is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether it is gone.
const PAUSE: Duration = Duration::from_millis(20);

impl Lock {
    /// The lock of a writer.
    pub(crate) fn exclusive(directory: &Path) -> Result<Self, LockError> {
        Self::take(directory, FlockOperation::NonBlockingLockExclusive)
    }

    /// The lock of a reader: the pins stand still, other readers may read.
    pub(crate) fn shared(directory: &Path) -> Result<Self, LockError> {
        Self::take(directory, FlockOperation::NonBlockingLockShared)
    }

    fn take(path: &Path, operation: FlockOperation) -> Result<Self, LockError> {
        let fail = |call: &'static str| {
            move |error: std::io::Error| {
                if error.kind() == ErrorKind::NotFound {
                    LockError::Missing
                } else {
                    LockError::Refused(SysError::new(format!("locking `{}`", path.display()), call, error))
                }
            }
        };
        let since = Instant::now();
        loop {
            let directory = File::open(path).map_err(fail("open(2)"))?;
            match flock(&directory, operation) {
                Ok(()) => {
                    // An `unload` may have removed the directory while we waited for it.
                    let locked = directory.metadata().map_err(fail("fstat(2)"))?;
                    let present = std::fs::metadata(path).map_err(fail("stat(2)"))?;
                    if (locked.dev(), locked.ino()) == (present.dev(), present.ino()) {
                        return Ok(Self { _directory: directory });
                    }
                }
                Err(Errno::WOULDBLOCK) if since.elapsed() < PATIENCE => sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(LockError::Busy),
                Err(error) => return Err(fail("flock(2)")(error.into())),
            }
        }
    }
}
