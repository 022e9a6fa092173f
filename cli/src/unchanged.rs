//! Which files are as they were at a revision, for reports about a change: what `git` tracks and does not see
//! changed since REV left this branch.
//!
//! A file that cannot be told is none of them: it is looked at.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::exit::Failure;

/// Files that are as they were.
pub(crate) struct Unchanged(HashSet<PathBuf>);

impl Unchanged {
    /// The files of the working directory's repository that are as they were where this branch left `revision`.
    ///
    /// # Errors
    /// When this is no repository, it has no such revision, or git cannot be run.
    pub(crate) fn since(revision: &str) -> Result<Self, Failure> {
        let failure = || {
            Failure::new(format!("what has changed since `{revision}` cannot be told")).help(
                "run it in a git repository that has the revision, and its history since this branch left it",
            )
        };
        let ask = |arguments: &[&str]| git(arguments).map_err(|error| failure().because(&error));
        // It would be an option of git.
        if revision.starts_with('-') {
            return Err(failure());
        }
        let root = ask(&["rev-parse", "--show-toplevel"])?;
        let root = PathBuf::from(String::from_utf8_lossy(&root).trim_end_matches('\n'));
        let root = fs::canonicalize(root).map_err(|error| failure().because(&error))?;
        let shown = root.to_string_lossy();
        let tracked = ask(&["-C", &shown, "ls-files", "-z"])?;
        let changed = ask(&[
            "-C",
            &shown,
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--merge-base",
            revision,
            "--",
        ])?;
        let changed: HashSet<&[u8]> = names(&changed).collect();
        let same = names(&tracked).filter(|name| !changed.contains(name));
        Ok(Self(same.map(|name| root.join(String::from_utf8_lossy(name).as_ref())).collect()))
    }

    /// Whether a file is as it was; standard input, and what is in no repository, is not.
    pub(crate) fn has(&self, file: &Path) -> bool {
        fs::canonicalize(file).is_ok_and(|file| self.0.contains(&file))
    }
}

fn names(listing: &[u8]) -> impl Iterator<Item = &[u8]> {
    listing.split(|byte| *byte == 0).filter(|name| !name.is_empty())
}

/// What git prints.
fn git(arguments: &[&str]) -> io::Result<Vec<u8>> {
    let mut command = Command::new("git");
    let output =
        command.args(arguments).env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0").output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
