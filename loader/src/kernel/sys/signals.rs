//! Signals that ask a command to end, read instead of suffered.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::null_mut;

use super::{SysError, gate};

/// Those that ask a process to end, as a person, a service manager or a closed terminal does.
const ENDING: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// Holding one proves that none of [`ENDING`] ends this process, which has no other thread; the descriptor can be read
/// once one has come.
#[derive(Debug)]
pub(crate) struct Signals {
    fd: OwnedFd,
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Signals {
    /// Keeps the signals from ending this process, from here on and for good.
    pub(crate) fn take() -> Result<Self, SysError> {
        let fail = |call| move |error| SysError::new("waiting for signals", call, error);
        gate::enter("rt_sigprocmask(2)").map_err(fail("rt_sigprocmask(2)"))?;
        // SAFETY: a set of signals is plain integers, of which zero is a value.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        for signal in ENDING {
            // SAFETY: `set` is live, and the number one that the system has.
            unsafe { libc::sigaddset(&raw mut set, signal) };
        }
        // SAFETY: `set` is live, and the old one is not asked for.
        let blocked = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, null_mut()) };
        if blocked != 0 {
            return Err(fail("rt_sigprocmask(2)")(io::Error::from_raw_os_error(blocked)));
        }
        // SAFETY: `set` is live, and the call opens a descriptor.
        let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if fd < 0 {
            return Err(fail("signalfd(2)")(io::Error::last_os_error()));
        }
        // SAFETY: the kernel has just opened this descriptor for us.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }
}
