//! Why a directory, or a file in one, cannot be used.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::trust::Distrust;
use crate::kernel::sys::SysError;

/// Why a directory, or a file in one, cannot be used. [`remedy`](Self::remedy) says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// A system call failed.
    #[error(transparent)]
    Call(#[from] SysError),
    /// Others could change what is there.
    #[error("`{path}` cannot be trusted: it {distrust}", path = .path.display())]
    Untrusted {
        /// The directory, or the directory or link on the way to it.
        path: PathBuf,
        /// Why not.
        distrust: Distrust,
    },
    /// Something else than a directory, or than a regular file, has its name.
    #[error("`{path}` is not a {expected}", path = .path.display())]
    Kind {
        /// Where.
        path: PathBuf,
        /// `directory` or `regular file`.
        expected: &'static str,
    },
    /// A file is longer than what is read of it.
    #[error("`{path}` has more than {most} bytes", path = .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How many bytes are read at most.
        most: u64,
    },
    /// A directory that ought to be lrpc's alone holds things of others.
    #[error("`{path}` is not lrpc's: it holds {contents}", path = .path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What is in it.
        contents: Contents,
    },
}

impl FsError {
    /// The kernel refused for lack of rights.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_denied())
    }

    /// The number of a system call's error, as errno(3) lists them.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Call(error) => error.errno(),
            Self::Untrusted { .. } | Self::Kind { .. } | Self::TooLong { .. } | Self::Foreign { .. } => None,
        }
    }

    /// What to do about it, where it is known. `option` is the one that names the directory.
    pub fn remedy(&self, option: &str) -> Option<String> {
        match self {
            Self::Call(_) => None,
            Self::Untrusted { path, distrust } => Some(distrust.remedy(path, option)),
            Self::Kind { path, .. } => {
                Some(format!("remove `{}`, or name another directory by {option}", path.display()))
            }
            Self::TooLong { path, .. } => Some(format!("move `{}` away", path.display())),
            Self::Foreign { path, .. } => Some(format!("{option} {}", path.join("lrpc").display())),
        }
    }
}

/// What is in a directory, for a message: the first few names and how many more there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents(pub Vec<OsString>);

/// How many names a message lists.
const SHOWN: usize = 3;

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(names) = self;
        for (index, name) in names.iter().take(SHOWN).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}`{}`", name.display())?;
        }
        match names.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
