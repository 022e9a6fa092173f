//! A directory that nobody else can change, and the names in it.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, openat, renameat_with, unlinkat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::trust::Role;
use super::walk::{Missing, failed, make, stat, trusted, walk};
use super::{FsError, call};

/// Holding one proves that the directory and all above it belong to root or to us, and that nobody else can
/// write it, nor put another in its place.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

/// The kernel's numbers of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    device: u64,
    inode: u64,
}

/// A directory that may be on the way to one of ours: nobody else can put another in its place, or exchange in
/// it what is ours, but what is in it may be of others.
#[derive(Debug)]
pub(crate) struct Way(Dir);

impl Way {
    /// Opens a directory; `None` where it is missing.
    ///
    /// # Errors
    /// Others own it, or can do more in it than to add to it, or in one above it; something on the way is no
    /// directory.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, FsError> {
        Ok(walk(path, Missing::Stop)?.map(|(fd, path)| Self(Dir { fd, path })))
    }

    /// Opens a directory. Where it, or one on the way, is missing, it is made with the mode 0700.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and where it cannot be made.
    pub(crate) fn make(path: &Path) -> Result<Self, FsError> {
        let made = walk(path, Missing::Make)?;
        let (fd, path) =
            made.ok_or_else(|| failed("making", path, "mkdirat(2)", ErrorKind::NotFound.into()))?;
        Ok(Self(Dir { fd, path }))
    }

    /// The names in it, as [`Dir::names`] gives them.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(crate) fn names(&self) -> Result<Vec<OsString>, FsError> {
        self.0.names()
    }

    /// Where it is, without links; for messages.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The directory as one of our own.
    ///
    /// # Errors
    /// Others can write it.
    pub(crate) fn own(self) -> Result<Dir, FsError> {
        let Self(dir) = self;
        trusted(&stat(&dir.fd, &dir.path)?, Role::Own, &dir.path)?;
        Ok(dir)
    }
}

impl AsFd for Way {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Dir {
    /// Opens a directory; `None` where it is missing.
    ///
    /// # Errors
    /// Others own it or can write it, or one on the way; something on the way is no directory.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, FsError> {
        Way::open(path)?.map(Way::own).transpose()
    }

    /// Opens a directory. Where it, or one on the way, is missing, it is made with the mode 0700.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and where it cannot be made.
    pub(crate) fn make(path: &Path) -> Result<Self, FsError> {
        Way::make(path)?.own()
    }

    /// Where it is, without links; for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A name in it as calls that take no descriptor, such as bpf(2), find it, whoever moves what above it.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        Path::new("/proc/self/fd").join(self.fd.as_raw_fd().to_string()).join(name)
    }

    /// What tells it from every other directory while the machine runs, whatever it is called.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(crate) fn identity(&self) -> Result<Identity, FsError> {
        let found = stat(&self.fd, &self.path)?;
        Ok(Identity { device: found.st_dev, inode: found.st_ino })
    }

    /// Opens a directory in it; `None` where the name is missing.
    ///
    /// # Errors
    /// As for [`open`](Self::open). A link is no directory.
    pub(crate) fn child(&self, name: impl AsRef<OsStr>) -> Result<Option<Self>, FsError> {
        let child = self.enter(single(name.as_ref(), &self.path)?)?;
        if let Some(child) = &child {
            trusted(&stat(&child.fd, &child.path)?, Role::Own, &child.path)?;
        }
        Ok(child)
    }

    /// Opens a directory in it, which is made with the mode 0700 where the name is missing.
    ///
    /// # Errors
    /// As for [`make`](Self::make). A link is no directory.
    pub(crate) fn make_child(&self, name: impl AsRef<OsStr>) -> Result<Self, FsError> {
        let name = single(name.as_ref(), &self.path)?;
        if let Some(child) = self.child(name)? {
            return Ok(child);
        }
        let path = self.path.join(name);
        make(&self.fd, name, &path)?;
        let gone = || failed("opening", &path, "openat(2)", ErrorKind::NotFound.into());
        self.child(name)?.ok_or_else(gone)
    }

    /// The names in it, sorted, as the bytes that they are.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(crate) fn names(&self) -> Result<Vec<OsString>, FsError> {
        let read = || -> rustix::io::Result<Vec<OsString>> {
            rustix::fs::Dir::read_from(&self.fd)?
                .map(|entry| Ok(OsString::from_vec(entry?.file_name().to_bytes().to_vec())))
                .collect()
        };
        let mut names = call("getdents64(2)", read)
            .map_err(|error| failed("listing", &self.path, "getdents64(2)", error))?;
        names.retain(|name| name != "." && name != "..");
        names.sort_unstable();
        Ok(names)
    }

    /// Gives what is named `from` another name, in this directory or in `to`, in one step. A file that has the
    /// name is replaced, and so is an empty directory by another.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(crate) fn rename(&self, from: &str, to: &Self, to_name: &str) -> Result<(), FsError> {
        let (from, to_name) = (single(from.as_ref(), &self.path)?, single(to_name.as_ref(), &to.path)?);
        call("renameat(2)", || renameat_with(&self.fd, from, &to.fd, to_name, RenameFlags::empty())).map_err(
            |error| {
                let doing = format!("renaming `{}` to", self.path.join(from).display());
                failed(&doing, &to.path.join(to_name), "renameat(2)", error)
            },
        )
    }

    /// Removes a file or a link; one that is missing is none to remove.
    ///
    /// # Errors
    /// It is a directory, or the kernel refuses.
    pub(crate) fn remove_file(&self, name: impl AsRef<OsStr>) -> Result<(), FsError> {
        let name = single(name.as_ref(), &self.path)?;
        match call("unlinkat(2)", || unlinkat(&self.fd, name, AtFlags::empty())) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("removing", &self.path.join(name), "unlinkat(2)", error))
            }
            _ => Ok(()),
        }
    }

    /// Removes a file or a link, or a directory with all that is in it, whoever made that; returns how many
    /// there were that are no directories. No link is followed.
    ///
    /// # Errors
    /// The kernel refuses. What was removed until then is gone.
    pub(crate) fn remove(&self, name: impl AsRef<OsStr>) -> Result<usize, FsError> {
        let name = single(name.as_ref(), &self.path)?;
        match call("unlinkat(2)", || unlinkat(&self.fd, name, AtFlags::empty())) {
            Ok(()) => Ok(1),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) if error.kind() == ErrorKind::IsADirectory => self.remove_directory(name),
            Err(error) => Err(failed("removing", &self.path.join(name), "unlinkat(2)", error)),
        }
    }

    fn remove_directory(&self, name: &OsStr) -> Result<usize, FsError> {
        let mut removed = 0;
        if let Some(directory) = self.enter(name)? {
            for inner in directory.names()? {
                removed += directory.remove(inner)?;
            }
        }
        match call("unlinkat(2)", || unlinkat(&self.fd, name, AtFlags::REMOVEDIR)) {
            Ok(()) => Ok(removed),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(removed),
            Err(error) => Err(failed("removing", &self.path.join(name), "unlinkat(2)", error)),
        }
    }

    /// Opens a directory in it, whoever owns it.
    fn enter(&self, name: &OsStr) -> Result<Option<Self>, FsError> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match call("openat(2)", || openat(&self.fd, name, flags, Mode::empty())) {
            Ok(fd) => Ok(Some(Self { fd, path })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if is_no_directory(&error) => Err(FsError::Kind { path, expected: "directory" }),
            Err(error) => Err(failed("opening", &path, "openat(2)", error)),
        }
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The kernel says so of a file and, by its version, of a link.
pub(super) fn is_no_directory(error: &std::io::Error) -> bool {
    let error = error.raw_os_error();
    [Errno::NOTDIR, Errno::LOOP].iter().any(|is| error == Some(is.raw_os_error()))
}

/// A name that is one step down, which is what keeps everything here beneath the directory.
pub(super) fn single<'a>(name: &'a OsStr, holder: &Path) -> Result<&'a OsStr, FsError> {
    let leads_elsewhere = name.is_empty() || name == "." || name == ".." || name.as_bytes().contains(&b'/');
    if leads_elsewhere {
        return Err(failed("opening", &holder.join(name), "openat(2)", ErrorKind::InvalidInput.into()));
    }
    Ok(name)
}
