//! The file system in which pins live.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::statfs;
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

use super::pins;
use super::sys::SysError;

/// `BPF_FS_MAGIC`: the letters of its author's choice.
const BPF_FS: u64 = 0xcafe_4a11;

/// Where the kernel offers a mount point for it.
const USUAL: &str = "/sys/fs/bpf";

/// No bpffs at the directory, and none could be mounted.
#[derive(Debug)]
pub(crate) struct NoBpffs {
    /// Where to mount one.
    pub(crate) mount_at: PathBuf,
    /// Why it was not possible.
    pub(crate) source: SysError,
}

/// Whether a path, or the nearest directory above it that exists, is on a bpffs.
pub(crate) fn is_on_bpffs(path: &Path) -> bool {
    let existing = path.ancestors().find(|path| path.exists());
    existing.and_then(|path| statfs(path).ok()).is_some_and(|stat| stat.f_type.cast_unsigned() == BPF_FS)
}

/// Where a bpffs is to be mounted so that `directory` is on it.
pub(crate) fn mount_point(directory: &Path) -> PathBuf {
    if directory.starts_with(USUAL) { USUAL.into() } else { directory.to_owned() }
}

/// Sees to it that `directory` exists and is on a bpffs, mounting one where there is none.
pub(crate) fn ensure(directory: &Path) -> Result<(), NoBpffs> {
    let mount_at = mount_point(directory);
    let fail = |source| NoBpffs { mount_at: mount_at.clone(), source };
    if !is_on_bpffs(directory) {
        pins::make(&mount_at).map_err(fail)?;
        // A mount would hide what is there.
        if !pins::names(&mount_at).map_err(fail)?.is_empty() {
            let doing = format!("mounting a bpffs on `{}`", mount_at.display());
            return Err(fail(SysError::new(doing, "mount(2)", Errno::NOTEMPTY)));
        }
        mount("bpf", &mount_at, "bpf", MountFlags::empty(), None).map_err(|error| {
            fail(SysError::new(format!("mounting a bpffs on `{}`", mount_at.display()), "mount(2)", error))
        })?;
    }
    fs::create_dir_all(directory).map_err(|error| {
        fail(SysError::new(format!("creating `{}`", directory.display()), "mkdir(2)", error))
    })
}
