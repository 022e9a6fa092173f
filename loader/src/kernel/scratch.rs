//! A cgroup for a moment: somebody is put into it, asks what the hooks do there, and leaves.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::sys::{SysError, gate};

/// The name without the number of the process that made it.
const NAME: &str = "lrpc-doctor-";

/// How often its removal is tried: a process that has just ended may still be counted in it.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// A directory of this process alone, below another cgroup. It goes when it is dropped; [`remove`](Self::remove) says
/// whether it did.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    is_there: bool,
}

impl Scratch {
    /// Makes one. Those of processes that were killed before they removed theirs go first.
    pub(crate) fn make(cgroup: &Path) -> Result<Self, SysError> {
        sweep(cgroup);
        let path = cgroup.join(format!("{NAME}{}", std::process::id()));
        let fail = |error| SysError::new(format!("making cgroup `{}`", path.display()), "mkdir(2)", error);
        gate::enter("mkdir(2)").and_then(|()| fs::create_dir(&path)).map_err(fail)?;
        Ok(Self { path, is_there: true })
    }

    /// Moves a process into it.
    pub(crate) fn admit(&self, process: u32) -> Result<(), SysError> {
        let file = self.path.join("cgroup.procs");
        gate::enter("write(2)").and_then(|()| fs::write(&file, process.to_string())).map_err(|error| {
            SysError::new(format!("moving a process into `{}`", self.path.display()), "write(2)", error)
        })
    }

    /// Removes it, once nobody is in it.
    pub(crate) fn remove(mut self) -> Result<(), SysError> {
        self.is_there = false;
        remove(&self.path).map_err(|error| {
            SysError::new(format!("removing cgroup `{}`", self.path.display()), "rmdir(2)", error)
        })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.is_there {
            // Whatever failed before is what is told.
            let _ = remove(&self.path);
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    for _ in 1..TRIES {
        match gate::enter("rmdir(2)").and_then(|()| fs::remove_dir(path)) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy => thread::sleep(PAUSE),
            removed => return removed,
        }
    }
    fs::remove_dir(path)
}

/// Removes what processes that are no more have left; what is in use stays.
fn sweep(cgroup: &Path) {
    let is_left = |path: &PathBuf| {
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(NAME));
        number.is_some_and(|number| !Path::new("/proc").join(number).exists())
    };
    for left in fs::read_dir(cgroup).into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_left)
    {
        let _ = fs::remove_dir(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_whatever_happens_and_takes_what_the_dead_have_left() {
        let cgroup = tempfile::tempdir().unwrap();
        let listed = || fs::read_dir(cgroup.path()).unwrap().count();
        // No process has such a number.
        fs::create_dir(cgroup.path().join(format!("{NAME}99999999"))).unwrap();
        let scratch = Scratch::make(cgroup.path()).unwrap();
        assert!(scratch.path.is_dir() && listed() == 1);
        assert!(Scratch::make(cgroup.path()).is_err(), "there is one already");
        drop(scratch);
        assert_eq!(listed(), 0);
        Scratch::make(cgroup.path()).unwrap().remove().unwrap();
        assert_eq!(listed(), 0);
        let scratch = Scratch::make(cgroup.path()).unwrap();
        fs::create_dir(scratch.path.join("below")).unwrap();
        assert!(scratch.remove().is_err());
    }
}
