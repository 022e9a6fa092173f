//! The threshold of the door: every system call for whose failure a command answers passes [`enter`] first.
//! Loading the programs by aya is one such call, and so is listing a directory, however often the kernel is
//! asked. What only finds a word of a message passes by, as does what `doctor` reads in `/proc`; so does
//! getcwd(2), which only a relative path asks for.
//!
//! In the product it lets everything through. In unit tests a thread may carry a `Script`, which counts the
//! calls and lets one of them fail, so that "error E at call n" is a test of milliseconds.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// Announces a system call, named as its manual page is: `openat(2)`, `bpf(BPF_MAP_CREATE)`.
///
/// # Errors
/// Only what a test's script says; the call must not be made then.
#[cfg(not(test))]
#[inline(always)]
pub(crate) fn enter(_call: &'static str) -> io::Result<()> {
    Ok(())
}

/// What a thread takes over from the one that starts it: in unit tests the script, else nothing.
#[cfg(not(test))]
pub(crate) struct Inherited;

#[cfg(not(test))]
impl Inherited {
    pub(crate) fn of_this_thread() -> Self {
        Self
    }

    pub(crate) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// The same for a call that is made again where a signal interrupts it.
fn uninterrupted(call: &'static str) -> io::Result<()> {
    loop {
        match enter(call) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            entered => return entered,
        }
    }
}

/// The kind of the file system that a descriptor is on, as statfs(2) numbers it.
///
/// # Errors
/// The kernel refuses.
pub(crate) fn file_system(fd: BorrowedFd<'_>) -> io::Result<u64> {
    uninterrupted("fstatfs(2)")?;
    #[cfg(test)]
    if let Some(twin) = Script::current().and_then(|script| script.twin()) {
        return twin.file_system(fd);
    }
    Ok(rustix::io::retry_on_intr(|| rustix::fs::fstatfs(fd))?.f_type.cast_unsigned())
}

/// The same of a path.
///
/// # Errors
/// The kernel refuses.
pub(crate) fn file_system_at(path: &Path) -> io::Result<u64> {
    uninterrupted("statfs(2)")?;
    #[cfg(test)]
    if Script::current().and_then(|script| script.twin()).is_some() {
        return Ok(Twin::file_system_at(path));
    }
    Ok(rustix::io::retry_on_intr(|| rustix::fs::statfs(path))?.f_type.cast_unsigned())
}

#[cfg(test)]
use super::twin::Twin;

#[cfg(test)]
pub(crate) use scripted::{Failing, Inherited, Script, enter};

#[cfg(test)]
mod scripted {
    use std::cell::RefCell;
    use std::sync::{Arc, Mutex};

    use super::io;
    use crate::kernel::sys::twin::Twin;

    /// Which call fails, and how.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Failing {
        /// Its number, from 0.
        pub(crate) call: usize,
        /// The number of the error.
        pub(crate) errno: i32,
    }

    /// What a test's thread, and those that it starts, say to system calls.
    #[derive(Clone, Default)]
    pub(crate) struct Script {
        failing: Option<Failing>,
        calls: Arc<Mutex<Vec<&'static str>>>,
        twin: Option<Arc<Twin>>,
    }

    /// The script of the thread that starts another.
    pub(crate) struct Inherited(Option<Script>);

    impl Inherited {
        pub(crate) fn of_this_thread() -> Self {
            Self(Script::current())
        }

        pub(crate) fn run<T>(self, work: impl FnOnce() -> T) -> T {
            match self.0 {
                Some(script) => script.run(work),
                None => work(),
            }
        }
    }

    thread_local! {
        static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
    }

    impl Script {
        /// A script that only counts, or lets one call fail.
        pub(crate) fn new(failing: Option<Failing>) -> Self {
            Self { failing, ..Self::default() }
        }

        /// The same on another kernel than the running one.
        pub(crate) fn on(self, twin: Arc<Twin>) -> Self {
            Self { twin: Some(twin), ..self }
        }

        /// The kernel that stands in for the running one.
        pub(crate) fn twin(&self) -> Option<Arc<Twin>> {
            self.twin.clone()
        }

        /// The script of this thread.
        pub(crate) fn current() -> Option<Self> {
            SCRIPT.with_borrow(Clone::clone)
        }

        /// Runs `work` with this script in force on this thread.
        pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
            let before = SCRIPT.replace(Some(self.clone()));
            let done = work();
            SCRIPT.set(before);
            done
        }

        /// The calls so far, in order.
        pub(crate) fn calls(&self) -> Vec<&'static str> {
            self.calls.lock().unwrap().clone()
        }
    }

    pub(crate) fn enter(call: &'static str) -> io::Result<()> {
        let Some(script) = Script::current() else { return Ok(()) };
        let mut calls = script.calls.lock().unwrap();
        let number = calls.len();
        calls.push(call);
        match script.failing {
            Some(failing) if failing.call == number => Err(io::Error::from_raw_os_error(failing.errno)),
            _ => Ok(()),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_call_that_is_meant_fails_and_all_are_counted() {
            let script = Script::new(Some(Failing { call: 1, errno: libc::EIO }));
            let answers = script.run(|| ["a", "b", "c"].map(|call| enter(call).is_ok()));
            assert_eq!(answers, [true, false, true]);
            assert_eq!(script.calls(), ["a", "b", "c"]);
            assert!(enter("outside").is_ok());
        }
    }
}
