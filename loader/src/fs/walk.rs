//! From `/` to a directory, one name at a time.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, chmodat, fstat, fsync, mkdirat, openat, readlinkat,
};
use rustix::io::Errno;

use super::trust::{Role, judge, judge_owner};
use super::{FsError, call};
use crate::kernel::sys::SysError;

/// What becomes of a step that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The walk ends.
    Stop,
    /// It is made, for us alone.
    Make,
}

/// How many links a path may go through: as many as the kernel allows.
const MOST_LINKS: usize = 40;

const OWNER_ONLY: Mode = Mode::RWXU;

/// A descriptor that stands for a place and is good for nothing but going on from it.
const PLACE: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Walks to a directory, and opens it. Every directory on the way is trusted as a way, and so is the last one;
/// `None` where a step is missing.
pub(super) fn walk(path: &Path, missing: Missing) -> Result<Option<(OwnedFd, PathBuf)>, FsError> {
    let absolute = std::path::absolute(path).map_err(|error| failed("finding", path, "getcwd(2)", error))?;
    let mut rest: VecDeque<OsString> = steps(&absolute).collect();
    let mut shown = PathBuf::from("/");
    let mut place = root()?;
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        let next = if name == ".." { shown.parent().unwrap_or(&shown).to_owned() } else { shown.join(&name) };
        let mut found = look(&place, &name, &next)?;
        if found.is_none() && missing == Missing::Make {
            make(&place, &name, &next)?;
            found = look(&place, &name, &next)?;
        }
        match found {
            None => return Ok(None),
            Some(Found::Directory(directory, found)) => {
                trusted(&found, Role::Way, &next)?;
                (place, shown) = (directory, next);
            }
            Some(Found::Link(target)) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(failed("opening", path, "openat(2)", Errno::LOOP.into()));
                }
                for step in steps(&target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(step);
                }
                if target.is_absolute() {
                    (place, shown) = (root()?, PathBuf::from("/"));
                }
            }
        }
    }
    Ok(Some((open(&place, &shown)?, shown)))
}

/// The steps of a path below `/`, or below where a link lies.
fn steps(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|step| match step {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

fn root() -> Result<OwnedFd, FsError> {
    let path = Path::new("/");
    let place = call("openat(2)", || openat(CWD, "/", PLACE | OFlags::DIRECTORY, Mode::empty()))
        .map_err(|error| failed("opening", path, "openat(2)", error))?;
    trusted(&stat(&place, path)?, Role::Way, path)?;
    Ok(place)
}

enum Found {
    Directory(OwnedFd, Stat),
    /// A link that root or we made, with what it says.
    Link(PathBuf),
}

/// What a name stands for. Where a directory is expected the kernel also mounts what is mounted on demand.
fn look(holder: &OwnedFd, name: &OsStr, shown: &Path) -> Result<Option<Found>, FsError> {
    let fail = |error| failed("opening", shown, "openat(2)", error);
    match call("openat(2)", || openat(holder, name, PLACE | OFlags::DIRECTORY, Mode::empty())) {
        Ok(directory) => {
            let found = stat(&directory, shown)?;
            return Ok(Some(Found::Directory(directory, found)));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::NOTDIR.raw_os_error()) => {}
        Err(error) => return Err(fail(error)),
    }
    let other = call("openat(2)", || openat(holder, name, PLACE, Mode::empty())).map_err(fail)?;
    let found = stat(&other, shown)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Symlink {
        return Err(FsError::Kind { path: shown.to_owned(), expected: "directory" });
    }
    judge_owner(&found).map_err(|distrust| FsError::Untrusted { path: shown.to_owned(), distrust })?;
    let target = call("readlinkat(2)", || readlinkat(&other, "", Vec::new()))
        .map_err(|error| failed("reading the link", shown, "readlinkat(2)", error))?;
    Ok(Some(Found::Link(OsString::from_vec(target.into_bytes()).into())))
}

/// Makes a directory for us alone, whatever the umask; where the name is taken it stays what it is.
pub(super) fn make(holder: &OwnedFd, name: &OsStr, shown: &Path) -> Result<(), FsError> {
    match call("mkdirat(2)", || mkdirat(holder, name, OWNER_ONLY)) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(failed("making", shown, "mkdirat(2)", error)),
    }
    // The umask takes bits away. Nobody else can have exchanged what we have just made: nobody else writes the
    // holder, or the sticky bit keeps them from it.
    call("fchmodat(2)", || chmodat(holder, name, OWNER_ONLY, AtFlags::empty()))
        .map_err(|error| failed("making", shown, "fchmodat(2)", error))?;
    // On disk before anything in it is.
    open(holder, shown).and_then(|holder| sync(&holder, shown))
}

/// Opens a directory that is known as a place only.
fn open(place: &OwnedFd, shown: &Path) -> Result<OwnedFd, FsError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    call("openat(2)", || openat(place, ".", flags, Mode::empty()))
        .map_err(|error| failed("opening", shown, "openat(2)", error))
}

/// Waits until the names in a directory are on disk.
pub(super) fn sync(directory: impl AsFd + Copy, shown: &Path) -> Result<(), FsError> {
    call("fsync(2)", || fsync(directory)).map_err(|error| failed("syncing", shown, "fsync(2)", error))
}

pub(super) fn stat(place: impl AsFd + Copy, shown: &Path) -> Result<Stat, FsError> {
    call("fstat(2)", || fstat(place)).map_err(|error| failed("looking at", shown, "fstat(2)", error))
}

/// Judges a directory; the error names it.
pub(super) fn trusted(found: &Stat, role: Role, shown: &Path) -> Result<(), FsError> {
    judge(found, role).map_err(|distrust| FsError::Untrusted { path: shown.to_owned(), distrust })
}

pub(super) fn failed(doing: &str, path: &Path, call: &'static str, error: std::io::Error) -> FsError {
    SysError::new(format!("{doing} `{}`", path.display()), call, error).into()
}
