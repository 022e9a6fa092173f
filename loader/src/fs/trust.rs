//! Whom a directory may belong to, and who may write it.

use std::fmt;
use std::path::Path;

use rustix::fs::Stat;
use rustix::process::geteuid;

/// What a directory is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is on the way. One with the sticky bit, such as `/tmp`, will do even where all may write it: nobody
    /// renames or removes there what is ours, and who made the next step is looked at next.
    Way,
    /// What is in it is ours alone.
    Own,
}

/// Why a directory, or a link on the way to it, is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It belongs to this user, who is neither root nor us.
    Owner(u32),
    /// Its mode lets others write. Named users of an access control list count as the group does.
    Writable {
        /// The permission bits.
        mode: u32,
    },
}

const STICKY: u32 = 0o1000;
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;

/// Judges a directory.
pub(super) fn judge(found: &Stat, role: Role) -> Result<(), Distrust> {
    judge_owner(found)?;
    let mode = found.st_mode & 0o7777;
    let writable = mode & GROUP_OR_OTHERS_WRITE != 0;
    let only_added_to = role == Role::Way && mode & STICKY != 0;
    if writable && !only_added_to { Err(Distrust::Writable { mode }) } else { Ok(()) }
}

/// Judges a link, whose mode says nothing.
pub(super) fn judge_owner(found: &Stat) -> Result<(), Distrust> {
    let trusted = [0, geteuid().as_raw()].contains(&found.st_uid);
    if trusted { Ok(()) } else { Err(Distrust::Owner(found.st_uid)) }
}

impl Distrust {
    /// What to do about a path below `option`'s.
    pub(super) fn remedy(self, path: &Path, option: &str) -> String {
        match self {
            Self::Owner(_) => format!(
                "see what it is and remove it, or `chown -h root '{}'`, or name another directory by {option}",
                path.display()
            ),
            Self::Writable { mode } if mode & STICKY != 0 => {
                format!("{option} {}", path.join("lrpc").display())
            }
            Self::Writable { .. } => {
                format!("`chmod go-w '{}'`, or name another directory by {option}", path.display())
            }
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => write!(f, "belongs to user {owner}"),
            Self::Writable { mode } => {
                let who = if mode & 0o002 != 0 { "everyone" } else { "its group" };
                write!(f, "can be written by {who} (mode {mode:04o})")
            }
        }
    }
}
