//! The network namespaces of a node: those that its processes are in.
//!
//! A thread enters one by setns(2), which wants CAP_SYS_ADMIN; which one another process is in, the kernel
//! says to whom it lets trace that process: CAP_SYS_PTRACE.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::kernel::sys::{SysError, gate};

/// A network namespace, by a process in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(crate) process: u32,
    pub(crate) command: Option<String>,
    /// Its number, where it could be had.
    pub(crate) number: Option<u64>,
}

impl Place {
    fn of(process: u32, number: Option<u64>) -> Self {
        let command = fs::read_to_string(format!("/proc/{process}/comm")).ok();
        Self { process, command: command.map(|name| name.trim_end().to_owned()), number }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "net:[{number}] of process {}", self.process)?,
            None => write!(f, "that of process {}", self.process)?,
        }
        match &self.command {
            Some(command) => write!(f, " ({command})"),
            None => Ok(()),
        }
    }
}

/// Calls `look` once in the namespace of this thread and in each other that one of the processes is in, and
/// returns those that could not be entered or looked at, with the reasons. This thread is in one of them afterwards: nothing
/// else may run on it.
pub(super) fn in_each(
    processes: &[u32],
    mut look: impl FnMut() -> Result<(), SysError>,
) -> Vec<(Place, SysError)> {
    let mut done = HashSet::new();
    let own = number("thread-self").ok();
    done.extend(own);
    let place = |number: Option<(u64, u64)>, process| Place::of(process, number.map(|(_, inode)| inode));
    let mut unseen = Vec::new();
    unseen.extend(look().err().map(|error| (place(own, std::process::id()), error)));
    for &process in processes {
        let (number, entered) = match number(&process.to_string()) {
            Ok(number) if done.contains(&number) => continue,
            Ok(number) => (Some(number), enter(process).and_then(|()| look())),
            Err(error) => (None, Err(error)),
        };
        match entered {
            // It has ended; others in its namespace may still be there.
            Err(error) if matches!(error.errno(), Some(libc::ENOENT | libc::ESRCH)) => continue,
            Ok(()) => {}
            Err(error) => unseen.push((place(number, process), error)),
        }
        done.extend(number);
    }
    unseen
}

/// Device and inode of a process's namespace, which tell it from every other.
fn number(process: &str) -> Result<(u64, u64), SysError> {
    let found = gate::enter("stat(2)").and_then(|()| fs::metadata(path(process)));
    let found = found.map_err(|error| SysError::new("telling network namespaces apart", "stat(2)", error))?;
    Ok((found.dev(), found.ino()))
}

fn enter(process: u32) -> Result<(), SysError> {
    let fail = |call| move |error: io::Error| SysError::new("entering network namespaces", call, error);
    let opened = gate::enter("openat(2)").and_then(|()| File::open(path(&process.to_string())));
    let namespace = opened.map_err(fail("openat(2)"))?;
    gate::enter("setns(2)").map_err(fail("setns(2)"))?;
    let entered = move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network));
    entered.map_err(|error| fail("setns(2)")(error.into()))
}

fn path(process: &str) -> String {
    format!("/proc/{process}/ns/net")
}
