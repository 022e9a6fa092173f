//! Where everything is pinned below `--bpffs`.
//!
//! ```text
//! links/HOOK  programs/VERSION/HOOK  state/peers_v1    outlive every generation
//! v1/cell  v1/outer/TABLE                              one ABI version
//! v1/staging/N/TABLE                                   not visible yet, or never to be again
//! v1/generations/N/TABLE                               resident
//! ```
//! A generation is staged and discarded under `staging`; one rename of its directory, which bpffs does in
//! one step, makes it resident or demotes it. So half a generation never looks like a resident one. Names
//! carry the generation number only: which slot it sits in, the outer maps say.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use lrpc_schema::records::{ABI_VERSION, CELL, PEERS};

use super::sys::SysError;

/// The directory that holds all pins of one instance.
#[derive(Clone, Debug)]
pub(crate) struct Pins {
    root: PathBuf,
}

impl Pins {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn links(&self) -> PathBuf {
        self.root.join("links")
    }

    pub(crate) fn link(&self, hook: &str) -> PathBuf {
        self.links().join(hook)
    }

    pub(crate) fn programs(&self) -> PathBuf {
        self.root.join("programs")
    }

    pub(crate) fn program(&self, version: &str, hook: &str) -> PathBuf {
        self.programs().join(version).join(hook)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    pub(crate) fn peers(&self) -> PathBuf {
        self.state().join(PEERS)
    }

    /// Everything of this ABI version.
    pub(crate) fn tables(&self) -> PathBuf {
        self.root.join(format!("v{ABI_VERSION}"))
    }

    pub(crate) fn cell(&self) -> PathBuf {
        self.tables().join(CELL)
    }

    pub(crate) fn outers(&self) -> PathBuf {
        self.tables().join("outer")
    }

    pub(crate) fn outer(&self, table: &str) -> PathBuf {
        self.outers().join(table)
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.tables().join("staging")
    }

    pub(crate) fn staged(&self, generation: u64) -> PathBuf {
        self.staging().join(generation.to_string())
    }

    pub(crate) fn generations(&self) -> PathBuf {
        self.tables().join("generations")
    }

    pub(crate) fn resident(&self, generation: u64) -> PathBuf {
        self.generations().join(generation.to_string())
    }

    /// Directories of other ABI versions, as `vN`.
    pub(crate) fn other_versions(&self) -> Result<Vec<String>, SysError> {
        let own = format!("v{ABI_VERSION}");
        let is_version = |name: &String| {
            name.strip_prefix('v').is_some_and(|rest| rest.parse::<u32>().is_ok()) && *name != own
        };
        Ok(names(&self.root)?.into_iter().filter(is_version).collect())
    }
}

/// The names in a directory, sorted; none where it does not exist.
pub(crate) fn names(directory: &Path) -> Result<Vec<String>, SysError> {
    let fail = |error| SysError::new(format!("listing `{}`", directory.display()), "readdir(3)", error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(fail)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// The generation numbers among the names in a directory, ascending.
pub(crate) fn numbers(directory: &Path) -> Result<Vec<u64>, SysError> {
    let mut numbers: Vec<u64> = names(directory)?.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes a directory and those above it.
pub(crate) fn make(directory: &Path) -> Result<(), SysError> {
    fs::create_dir_all(directory)
        .map_err(|error| SysError::new(format!("creating `{}`", directory.display()), "mkdir(2)", error))
}

/// Renames a pin or a directory of pins in one step.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), SysError> {
    fs::rename(from, to).map_err(|error| {
        SysError::new(format!("renaming `{}` to `{}`", from.display(), to.display()), "rename(2)", error)
    })
}

/// Removes a pin, or a directory and all pins in it; returns how many pins there were.
pub(crate) fn remove(path: &Path) -> Result<usize, SysError> {
    let fail = |call| move |error| SysError::new(format!("removing `{}`", path.display()), call, error);
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(fail("stat(2)")(error)),
    };
    if !kind.is_dir() {
        fs::remove_file(path).map_err(fail("unlink(2)"))?;
        return Ok(1);
    }
    let mut removed = 0;
    for name in names(path)? {
        removed += remove(&path.join(name))?;
    }
    fs::remove_dir(path).map_err(fail("rmdir(2)"))?;
    Ok(removed)
}
