//! The threshold of the door: every system call of this crate passes [`enter`] first.
//!
//! In the product it lets everything through. In unit tests a thread may carry a [`Script`], which counts the
//! calls and lets one of them fail, so that "error E at call n" is a test of milliseconds.

use std::io;

/// Announces a system call, named as its manual page is: `openat(2)`, `bpf(BPF_MAP_CREATE)`.
///
/// # Errors
/// Only what a test's script says; the call must not be made then.
#[cfg(not(test))]
#[inline(always)]
pub(crate) fn enter(_call: &'static str) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use scripted::{Failing, Script, enter};

#[cfg(test)]
mod scripted {
    use std::cell::RefCell;
    use std::sync::{Arc, Mutex};

    use super::io;

    /// Which call fails, and how.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Failing {
        /// Its number, from 0.
        pub(crate) call: usize,
        /// The number of the error.
        pub(crate) errno: i32,
    }

    /// What a test's thread, and those that it starts, say to system calls.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Script {
        failing: Option<Failing>,
        calls: Arc<Mutex<Vec<&'static str>>>,
    }

    thread_local! {
        static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
    }

    impl Script {
        /// A script that only counts, or lets one call fail.
        pub(crate) fn new(failing: Option<Failing>) -> Self {
            Self { failing, ..Self::default() }
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
