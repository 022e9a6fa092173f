//! The cgroup under which everything is redirected.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::sys::{SysError, gate};

/// `CGROUP2_SUPER_MAGIC`: "cgrp".
pub(super) const CGROUP2: u64 = 0x6367_7270;

/// The inode of the root of the host's tree; the root that a cgroup namespace shows has another.
const HOST_ROOT: u64 = 1;

/// An open directory of the cgroup2 tree.
#[derive(Debug)]
pub(crate) struct Cgroup {
    path: PathBuf,
    directory: File,
    id: u64,
}

impl AsFd for Cgroup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

/// No cgroup to attach to.
#[derive(Debug)]
pub(crate) enum NoCgroup {
    /// There is no cgroup2 mount at all.
    NoMount,
    /// The only cgroup2 mounts show a container's own tree; this is one of them.
    ContainerView(PathBuf),
    /// The directory is not in a cgroup2 tree.
    NotCgroup2(PathBuf),
    /// The kernel refused.
    Refused(SysError),
}

impl Cgroup {
    /// Opens the directory that the user names.
    pub(crate) fn open(path: &Path) -> Result<Self, NoCgroup> {
        let fail = |call| {
            move |error: std::io::Error| {
                NoCgroup::Refused(SysError::new(format!("opening cgroup `{}`", path.display()), call, error))
            }
        };
        let path =
            gate::enter("readlink(2)").and_then(|()| fs::canonicalize(path)).map_err(fail("realpath(3)"))?;
        let directory = gate::enter("openat(2)").and_then(|()| File::open(&path)).map_err(fail("open(2)"))?;
        let kind = gate::file_system(directory.as_fd()).map_err(fail("fstatfs(2)"))?;
        if kind != CGROUP2 {
            return Err(NoCgroup::NotCgroup2(path));
        }
        let found = gate::enter("fstat(2)").and_then(|()| directory.metadata()).map_err(fail("fstat(2)"))?;
        let id = found.ino();
        Ok(Self { path, directory, id })
    }

    /// Opens the root of the host's tree.
    pub(crate) fn host_root() -> Result<Self, NoCgroup> {
        let mounts = mounts().map_err(|error| {
            let doing = "looking for the cgroup2 mounts in `/proc/self/mountinfo`";
            NoCgroup::Refused(SysError::new(doing, "read(2)", error))
        })?;
        match mounts.iter().find(|path| fs::metadata(path).is_ok_and(|root| root.ino() == HOST_ROOT)) {
            Some(path) => Self::open(path),
            None => Err(mounts.into_iter().next().map_or(NoCgroup::NoMount, NoCgroup::ContainerView)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The kernel's number of this cgroup.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// How far below the root of the host's tree it is, which is level 0; `None` where that root is not mounted
    /// here.
    pub(crate) fn level(&self) -> Option<usize> {
        let above = self.ancestors();
        let is_host_root = |path: &PathBuf| fs::metadata(path).is_ok_and(|root| root.ino() == HOST_ROOT);
        above.last().filter(|top| is_host_root(top)).map(|_| above.len().saturating_sub(1))
    }

    /// This cgroup and those above it, as far as they are mounted here.
    pub(crate) fn ancestors(&self) -> Vec<PathBuf> {
        let is_cgroup = |path: &&Path| path.join("cgroup.procs").exists();
        self.path.ancestors().take_while(is_cgroup).map(Path::to_owned).collect()
    }
}

/// What is at and below a cgroup.
#[derive(Debug, Default)]
pub(crate) struct Below {
    /// The kernel's numbers of the cgroups, each with that of the one above it; itself above the uppermost.
    cgroups: HashMap<u64, u64>,
    /// The processes in them, as they are numbered here.
    pub(crate) processes: Vec<u32>,
    /// How many there are beside them that have no number here: they are outside of this PID namespace.
    pub(crate) invisible: usize,
}

impl Below {
    /// Walks the tree, which may change meanwhile.
    pub(crate) fn of(cgroup: &Cgroup) -> Result<Self, SysError> {
        let mut below = Self::default();
        let mut folders = vec![(cgroup.path.clone(), cgroup.id)];
        while let Some((folder, above)) = folders.pop() {
            match below.enter(&folder, above, &mut folders) {
                // It was removed meanwhile.
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV)) => {}
                entered => entered.map_err(|error| {
                    SysError::new(format!("looking below cgroup `{}`", folder.display()), "read(2)", error)
                })?,
            }
        }
        Ok(below)
    }

    /// Whether a cgroup is the one that was walked, or below it.
    pub(crate) fn holds(&self, cgroup: u64) -> bool {
        self.cgroups.contains_key(&cgroup)
    }

    /// A cgroup and those above it, up to the one that was walked; none where it is not below that.
    pub(crate) fn ancestry(&self, cgroup: u64) -> impl Iterator<Item = u64> {
        let first = self.holds(cgroup).then_some(cgroup);
        std::iter::successors(first, |id| self.cgroups.get(id).copied().filter(|above| above != id))
    }

    fn enter(&mut self, folder: &Path, above: u64, folders: &mut Vec<(PathBuf, u64)>) -> std::io::Result<()> {
        gate::enter("stat(2)")?;
        let id = fs::metadata(folder)?.ino();
        self.cgroups.insert(id, above);
        gate::enter("getdents64(2)")?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), id));
            }
        }
        gate::enter("read(2)")?;
        let list = match fs::read_to_string(folder.join("cgroup.procs")) {
            // A threaded cgroup lists threads only.
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
                fs::read_to_string(folder.join("cgroup.threads"))?
            }
            list => list?,
        };
        self.add(&list);
        Ok(())
    }

    /// Adds the processes of a list, where those without a number here are zeros.
    fn add(&mut self, list: &str) {
        for process in list.lines().filter_map(|line| line.parse().ok()) {
            match process {
                0 => self.invisible += 1,
                process => self.processes.push(process),
            }
        }
    }
}

/// Whether the cgroup that had a number and a path, as messages show it, is gone for certain: seen from the root of the
/// host's tree, the path leads to another one or to none. Links live on for as long as sockets that were made there.
pub(crate) fn is_gone(path: &Path, id: u64) -> bool {
    if path.to_string_lossy().contains(char::REPLACEMENT_CHARACTER) {
        return false;
    }
    for above in path.ancestors() {
        match Cgroup::open(above) {
            Ok(found) => return found.level().is_some() && found.id() != id,
            Err(NoCgroup::Refused(error)) if error.errno() == Some(libc::ENOENT) => {}
            Err(_) => return false,
        }
    }
    false
}

/// Where cgroup2 is mounted.
fn mounts() -> std::io::Result<Vec<PathBuf>> {
    gate::enter("read(2)")?;
    Ok(cgroup2_mounts(&fs::read_to_string("/proc/self/mountinfo")?))
}

/// The mount points of cgroup2 in a mountinfo(5): the fifth field, before ` - TYPE`. Blanks in it are
/// written in octal; a cgroup2 mounted under such a name must be given by `--cgroup`.
fn cgroup2_mounts(mountinfo: &str) -> Vec<PathBuf> {
    let mount = |line: &str| {
        let (mount, kind) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        kind.starts_with("cgroup2 ").then(|| point.into())
    };
    mountinfo.lines().filter_map(mount).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_is_told_with_those_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        fs::create_dir_all(path("c")).unwrap();
        let id = |name: &str| fs::metadata(path(name)).unwrap().ino();
        let directory = File::open(path("")).unwrap();
        let below = Below::of(&Cgroup { path: path(""), directory, id: id("") }).unwrap();
        assert_eq!(below.ancestry(id("a/b")).collect::<Vec<_>>(), [id("a/b"), id("a"), id("")]);
        assert_eq!(below.ancestry(id("")).collect::<Vec<_>>(), [id("")]);
        let elsewhere = tempfile::tempdir().unwrap();
        let elsewhere = fs::metadata(elsewhere.path()).unwrap().ino();
        assert_eq!((below.holds(elsewhere), below.ancestry(elsewhere).count()), (false, 0));
    }

    #[test]
    fn processes_without_a_number_here_are_counted() {
        let mut below = Below::default();
        below.add("12\n0\n0\n4\n");
        assert_eq!((below.processes, below.invisible), (vec![12, 4], 2));
    }

    #[test]
    fn cgroup2_mounts_are_told_from_those_of_version_1() {
        let mountinfo = "\
            30 23 0:26 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755\n\
            31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n\
            32 30 0:28 / /sys/fs/cgroup/cpu rw shared:11 - cgroup cgroup rw,cpu\n\
            33 30 0:27 /pod /run/cgroup ro master:1 - cgroup2 none rw\n";
        assert_eq!(
            cgroup2_mounts(mountinfo),
            [Path::new("/sys/fs/cgroup/unified"), Path::new("/run/cgroup")]
        );
    }
}
