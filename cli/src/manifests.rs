//! Finds and reads manifests.
//!
//! Folders are walked in sorted order, hidden entries are skipped, and a file that cannot be read does not
//! keep the others from being read.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use lrpc_compiler::Source;
use walkdir::{DirEntry, WalkDir};

use crate::exit::Failure;

/// A file's name as it was given (below a folder: the folder as given, and the path below it), and its
/// bytes.
pub(crate) struct InputFile {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// A path that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read", path.display())]
pub(crate) struct Unreadable {
    pub(crate) path: PathBuf,
    #[source]
    pub(crate) error: io::Error,
}

/// The failure for paths that could not be read, which names them; `None` where there are none. `what` is said
/// where there is only one.
pub(crate) fn failure(what: &str, unreadable: &[Unreadable]) -> Option<Failure> {
    /// Paths that are named.
    const SHOWN: usize = 10;
    match unreadable {
        [] => None,
        [one] => Some(Failure::new(format!("{what} cannot be read")).because(one)),
        several => {
            let failure = Failure::new(format!("{} paths cannot be read", several.len()));
            let named = several.iter().take(SHOWN);
            let causes = named.map(|one| format!("{}: {}", one.path.display(), one.error));
            let more = several.len().checked_sub(SHOWN).filter(|more| *more > 0);
            let causes = causes.chain(more.map(|more| format!("{more} more")));
            Some(causes.fold(failure, Failure::cause))
        }
    }
}

/// The files at the given paths, each once, and the paths that could not be read.
pub(crate) fn read(paths: &[PathBuf]) -> (Vec<InputFile>, Vec<Unreadable>) {
    let (files, mut unreadable) = find(paths);
    let mut inputs = Vec::with_capacity(files.len());
    for path in files {
        match read_one(&path) {
            Ok(bytes) => inputs.push(InputFile { name: path.to_string_lossy().into_owned(), bytes }),
            Err(error) => unreadable.push(Unreadable { path, error }),
        }
    }
    (inputs, unreadable)
}

/// The files at the given paths, each once, in the order in which they are read; `-` stands for itself.
pub(crate) fn find(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Unreadable>) {
    let mut unreadable = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            files.push(path.clone());
        } else {
            walk(path, &mut files, &mut unreadable);
        }
    }
    let mut seen = HashSet::new();
    files.retain(|path| seen.insert(path.clone()));
    (files, unreadable)
}

/// No more of a file than makes it too long: a device may never end.
pub(crate) fn read_one(path: &Path) -> io::Result<Vec<u8>> {
    let most = Source::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// A path that is given is read whatever its name; below a folder the name decides.
fn walk(path: &Path, files: &mut Vec<PathBuf>, unreadable: &mut Vec<Unreadable>) {
    let visible = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name());
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter().filter_entry(visible) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) if entry.depth() == 0 => files.push(entry.into_path()),
            Ok(entry) if !is_manifest(entry.path()) => {}
            Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
            // A pipe in a folder may never say a word. One that is given by name is meant.
            Ok(entry) => {
                let error = io::Error::other("it is no regular file");
                unreadable.push(Unreadable { path: entry.into_path(), error });
            }
            Err(error) => {
                let path = error.path().unwrap_or(path).to_path_buf();
                let error =
                    error.into_io_error().unwrap_or_else(|| io::Error::other("its links form a loop"));
                unreadable.push(Unreadable { path, error });
            }
        }
    }
}

/// Whether the name of a file or folder says that it is not meant.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Whether a file below a folder is read.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    matches!(extension, Some("yaml" | "yml" | "json"))
}
