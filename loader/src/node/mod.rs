//! The node commands: what is loaded, and how it becomes something else.
//!
//! ```text
//! MapSet ─resolve─▶ Resolved ─plan─▶ [Step] ─stage─▶ Staged ─publish─▶ Published
//! ```
//! [`Node`] is the door: one method for each command. [`steps`] says what an apply does, [`room`] which slot it
//! takes, [`transaction`] does it, [`recover`] undoes what was left half-done, [`loaded`] reads what is there.
//! Every method takes the lock on the pin directory, looks at the kernel afresh, and keeps nothing: this is a
//! short-lived process, and the kernel with its pins holds the state.
//!
//! INVARIANT: before the commit no packet sees anything of a new set, and an error leaves everything as it was
//! but for what [`Plan::before`] names: a mend of what is active, and an eviction. After it nothing is undone, and
//! what fails is reported beside the result.

mod apply;
mod changes;
mod counters;
mod doctor;
mod dump;
mod error;
mod existing;
#[cfg(test)]
mod faults;
mod gone;
mod history;
mod loaded;
mod monitor;
mod names;
mod origin;
mod recover;
mod rollback;
mod room;
mod status;
mod steps;
mod transaction;
mod unload;
mod verify;

use std::path::PathBuf;

pub use apply::{Applied, ApplyOptions, Expect, NodeNetns, Preview};
pub use changes::Changes;
pub use counters::{FrontendTally, PolicyTally, Tally};
pub use doctor::{Check, Verdict};
pub use dump::{Dump, TableDump};
pub use error::Error;
pub use existing::{Concerned, Existing, ExistingCount, Overlooked, Side};
pub use monitor::{End, Monitor, Next, Told};
pub use names::Owner;
pub use origin::{Origin, Origins};
pub use recover::Removed;
pub use status::{ActiveStatus, Status};
pub use steps::{Plan, Step};
pub use unload::Unloaded;
pub use verify::{Difference, Verification, Where};

use crate::kernel::cgroup::Cgroup;
use crate::kernel::instance::Instance;
use crate::kernel::writer::{Reader, Writer};
use crate::state::StateDir;
use loaded::{Found, Loaded};

/// The directories that make one instance. Two instances without a directory in common do not know of each
/// other.
#[derive(Clone, Debug)]
pub struct NodeDirs {
    /// The cgroup below which everything is redirected; `None` is the root of the host's cgroup2 tree.
    pub cgroup: Option<PathBuf>,
    /// Where pins live, on a bpffs.
    pub bpffs: PathBuf,
    /// History, and what only names can say.
    pub state: PathBuf,
}

/// One node, or one instance on it.
#[derive(Clone, Debug)]
pub struct Node {
    cgroup: Option<PathBuf>,
    bpffs: PathBuf,
    state: StateDir,
}

impl Node {
    /// The instance of these directories. Nothing is looked at yet.
    pub fn new(dirs: NodeDirs) -> Self {
        Self { cgroup: dirs.cgroup, bpffs: dirs.bpffs, state: StateDir::new(dirs.state) }
    }

    fn cgroup(&self) -> Result<Cgroup, Error> {
        Ok(match &self.cgroup {
            Some(path) => Cgroup::open(path)?,
            None => Cgroup::host_root()?,
        })
    }

    /// Makes sure that what is loaded was not loaded with another state directory that is still there: two
    /// histories of one node would each be half of it.
    fn is_remembered_here(&self, found: &Found) -> Result<(), Error> {
        let record = match found.loaded().map(Loaded::record) {
            Some(Ok(Some(record))) => record,
            // What cannot be understood names no directory.
            Some(Ok(None) | Err(_)) | None => return Ok(()),
        };
        let Some(memory) = record.memory else { return Ok(()) };
        if self.state.identity()? == Some(memory) {
            return Ok(());
        }
        match StateDir::new(PathBuf::from(&record.state)).identity() {
            Ok(Some(there)) if there == memory => {
                Err(Error::OtherState { loaded: record.state.clone(), wanted: self.state.path().to_owned() })
            }
            // Gone, or not to be seen from here.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The writer of the instance, which is made where it is missing.
    fn writer(&self) -> Result<Writer, Error> {
        Ok(Writer::new(Instance::make(&self.bpffs, self.state.path())?.lock_exclusive()?))
    }

    /// The writer of the instance; `None` where nothing can be loaded.
    fn existing_writer(&self) -> Result<Option<Writer>, Error> {
        let instance = Instance::open(&self.bpffs)?;
        Ok(instance.map(Instance::lock_exclusive).transpose()?.map(Writer::new))
    }

    /// A reader of the instance; `None` where nothing can be loaded.
    fn reader(&self) -> Result<Option<Reader>, Error> {
        let instance = Instance::open(&self.bpffs)?;
        Ok(instance.map(Instance::lock_shared).transpose()?.map(Reader::new))
    }
}
