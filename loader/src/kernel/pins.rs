//! Where everything is pinned in an instance's directory.
//!
//! ```text
//! links/HOOK  programs/VERSION/HOOK  state/peers_v1    outlive every generation
//! v2/cell  v1/outer/TABLE                              one ABI version
//! v2/staging/N/TABLE                                   not visible yet
//! v2/generations/N/TABLE                               resident
//! v2/surplus/N/TABLE                                   resident until lately: still in a slot
//! v2/order/SEQUENCE-CAUSE-N                            which generation was made active, in order
//! ```
//! A generation is staged and discarded under `staging`; one rename of its directory, which bpffs does in
//! one step, makes it resident or surplus. So half a generation never looks like a resident one. Names
//! carry the generation number only: which slot it sits in, the outer maps say.
//!
//! INVARIANT: every way here goes through a [`Dir`], and only names of this list are ever removed. What else
//! lies in the directory is somebody's, and stays.

use std::ffi::OsString;
use std::path::PathBuf;

use lrpc_schema::records::{ABI_VERSION, Generation, Hook};

use super::instance;
use super::sys::link::{CgroupLink, Program};
use super::sys::map::Map;
use super::sys::{Access, SysError};
use crate::fs::{Dir, FsError};

/// A directory of pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// The links, by hook.
    Links,
    /// The programs, by version.
    Programs,
    /// The programs of one version, by hook.
    Version(String),
    /// What sockets remember.
    Sockets,
    /// Everything of this ABI version.
    Tables,
    /// The outer maps, by table.
    Outers,
    /// What is not visible yet.
    Staging,
    /// A generation that is not visible yet.
    Staged(Generation),
    /// The resident generations.
    Generations,
    /// A resident generation.
    Resident(Generation),
    /// The generations that were resident until lately.
    Surplus,
    /// A generation that was resident until lately.
    Demoted(Generation),
    /// The order in which generations were made active.
    Order,
}

impl Folder {
    /// The directory that it is in, and its name there; the instance's directory where that is `None`.
    fn place(&self) -> (Option<Self>, String) {
        match self {
            Self::Links => (None, "links".to_owned()),
            Self::Programs => (None, "programs".to_owned()),
            Self::Version(version) => (Some(Self::Programs), version.clone()),
            Self::Sockets => (None, "state".to_owned()),
            Self::Tables => (None, format!("v{ABI_VERSION}")),
            Self::Outers => (Some(Self::Tables), "outer".to_owned()),
            Self::Staging => (Some(Self::Tables), "staging".to_owned()),
            Self::Staged(generation) => (Some(Self::Staging), generation.to_string()),
            Self::Generations => (Some(Self::Tables), "generations".to_owned()),
            Self::Resident(generation) => (Some(Self::Generations), generation.to_string()),
            Self::Surplus => (Some(Self::Tables), "surplus".to_owned()),
            Self::Demoted(generation) => (Some(Self::Surplus), generation.to_string()),
            Self::Order => (Some(Self::Tables), "order".to_owned()),
        }
    }
}

/// Something that is pinned cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PinError {
    /// The directory that it is in.
    #[error(transparent)]
    Directory(#[from] FsError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] SysError),
}

/// The directory that holds all pins of one instance.
#[derive(Debug)]
pub(crate) struct Pins {
    root: Dir,
}

impl Pins {
    pub(crate) fn new(root: Dir) -> Self {
        Self { root }
    }

    /// Where the instance's directory is, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    /// Opens a directory; `None` where it is missing.
    pub(super) fn open(&self, folder: &Folder) -> Result<Option<Dir>, FsError> {
        let (holder, name) = folder.place();
        match holder {
            None => self.root.child(name),
            Some(holder) => match self.open(&holder)? {
                Some(holder) => holder.child(name),
                None => Ok(None),
            },
        }
    }

    /// Opens a directory, which is made where it is missing.
    pub(super) fn make(&self, folder: &Folder) -> Result<Dir, FsError> {
        let (holder, name) = folder.place();
        match holder {
            None => self.root.make_child(name),
            Some(holder) => self.make(&holder)?.make_child(name),
        }
    }

    /// The names in a directory, sorted; none where it is missing.
    pub(crate) fn names(&self, folder: &Folder) -> Result<Vec<OsString>, FsError> {
        self.open(folder)?.map_or(Ok(Vec::new()), |directory| directory.names())
    }

    /// The generations among the names in a directory, ascending.
    pub(crate) fn numbers(&self, folder: &Folder) -> Result<Vec<Generation>, FsError> {
        let number = |name: OsString| Generation::new(name.to_str()?.parse().ok()?);
        let mut numbers: Vec<_> = self.names(folder)?.into_iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The versions of which programs are pinned.
    pub(crate) fn versions(&self) -> Result<Vec<String>, FsError> {
        let names = self.names(&Folder::Programs)?.into_iter();
        Ok(names.filter_map(|name| name.into_string().ok()).filter(|name| is_version(name)).collect())
    }

    /// Opens a pinned map; `None` where nothing has the name.
    pub(crate) fn map(&self, folder: &Folder, name: &str, access: Access) -> Result<Option<Map>, PinError> {
        let Some(directory) = self.open(folder)? else { return Ok(None) };
        Ok(Map::open(&directory, name, access)?)
    }

    /// Opens a pinned program; `None` where nothing has the name.
    pub(crate) fn program(&self, version: &str, hook: Hook) -> Result<Option<Program>, PinError> {
        let Some(directory) = self.open(&Folder::Version(version.to_owned()))? else { return Ok(None) };
        Ok(Program::open(&directory, hook.name(), Access::Read)?)
    }

    /// Opens the pinned link of a hook.
    pub(crate) fn link(&self, hook: Hook) -> Result<PinnedLink, PinError> {
        let Some(directory) = self.open(&Folder::Links)? else { return Ok(PinnedLink::Missing) };
        match CgroupLink::open(&directory, hook.name()) {
            Ok(Some(link)) => Ok(PinnedLink::Link(link)),
            Ok(None) => Ok(PinnedLink::Missing),
            Err(error) if error.errno() == Some(libc::EROFS) => Ok(PinnedLink::Unreadable),
            Err(error) if error.is_foreign() => Ok(PinnedLink::Foreign),
            Err(error) => Err(error.into()),
        }
    }

    /// Names of directories of other ABI versions: `vN`.
    pub(crate) fn other_versions(&self) -> Result<Vec<String>, FsError> {
        let own = format!("v{ABI_VERSION}");
        let names = self.root.names()?.into_iter().filter_map(|name| name.into_string().ok());
        Ok(names.filter(|name| is_abi(name) && *name != own).collect())
    }

    /// What lies here and is not lrpc's, as paths below the instance's directory.
    pub(crate) fn foreign(&self) -> Result<Vec<String>, FsError> {
        let mut found = Vec::new();
        let mut look = |folder: Option<&Folder>, is_ours: fn(&str) -> bool| {
            let (prefix, names) = match folder {
                None => (String::new(), self.root.names()?),
                Some(folder) => (format!("{}/", folder.place().1), self.names(folder)?),
            };
            let foreign = names.into_iter().filter(|name| !name.to_str().is_some_and(is_ours));
            found.extend(foreign.map(|name| format!("{prefix}{}", name.display())));
            Ok::<_, FsError>(())
        };
        look(None, is_ours)?;
        look(Some(&Folder::Links), |name| Hook::of_name(name).is_some())?;
        look(Some(&Folder::Programs), is_version)?;
        Ok(found)
    }

    /// The instance's directory.
    pub(super) fn root(&self) -> &Dir {
        &self.root
    }

    /// Removes a directory with all that is in it; returns how many pins there were.
    pub(super) fn remove(&self, folder: &Folder) -> Result<usize, FsError> {
        let (holder, name) = folder.place();
        match holder {
            None => self.root.remove(name),
            Some(holder) => self.open(&holder)?.map_or(Ok(0), |holder| holder.remove(name)),
        }
    }

    /// Renames a directory in one step.
    pub(super) fn rename(&self, from: &Folder, to: &Folder) -> Result<(), FsError> {
        let ((from_holder, from_name), (to_holder, to_name)) = (from.place(), to.place());
        let holder = |folder: Option<Folder>| match folder {
            Some(folder) => self.make(&folder).map(Some),
            None => Ok(None),
        };
        let (from_dir, to_dir) = (holder(from_holder)?, holder(to_holder)?);
        let from_dir = from_dir.as_ref().unwrap_or(&self.root);
        from_dir.rename(&from_name, to_dir.as_ref().unwrap_or(&self.root), &to_name)
    }
}

/// What is pinned under a hook's name.
#[derive(Debug)]
pub(crate) enum PinnedLink {
    /// Nothing.
    Missing,
    /// A link to a cgroup.
    Link(CgroupLink),
    /// No link to a cgroup.
    Foreign,
    /// The bpffs is mounted read-only, on which the kernel opens no link.
    Unreadable,
}

/// A name in the instance's directory that lrpc gives, in this version or another.
fn is_ours(name: &str) -> bool {
    matches!(name, "links" | "programs" | "state") || is_abi(name) || instance::is_marker(name)
}

/// `vN`.
fn is_abi(name: &str) -> bool {
    name.strip_prefix('v').is_some_and(|rest| rest.parse::<u32>().is_ok())
}

/// A name that programs of a version are pinned under: 64 hexadecimal digits.
pub(crate) fn is_version(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
