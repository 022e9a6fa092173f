//! `--state`: history, images by digest and the names behind a generation's rows.
//!
//! ```text
//! history.jsonl           one line per apply, rollback and unload, oldest first
//! images/HEX.lrpc         images of resident generations
//! rows/N.json             the link rows of resident generation N
//! ```
//! The kernel says what is active; this directory only remembers. Losing it loses names and history, never
//! traffic. It is written before the flip where that is possible, so that a directory that cannot be
//! written is known while nothing has changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use lrpc_schema::image::{Digest, Image};
use serde::{Deserialize, Serialize};

use crate::record::text;
use lrpc_linker::mapset::{Each, KeptRow, Row, ShownRow};

/// The state directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{doing} `{path}`", path = path.display())]
pub struct StateError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `lrpc apply`.
    Apply,
    /// `lrpc rollback`.
    Rollback,
    /// `lrpc unload`.
    Unload,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It took effect.
    Ok,
    /// Nothing changed.
    Failed,
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The generation that was made active, was to be, or was removed.
    pub generation: u64,
    /// When, RFC 3339.
    pub at: String,
    /// What.
    pub action: Action,
    /// The image's digest.
    #[serde(with = "text")]
    pub image: Digest,
    /// The linked digest.
    #[serde(with = "text")]
    pub digest: Digest,
    /// How it ended.
    pub result: Outcome,
    /// The generation can be rolled back to. Known by the kernel alone, so false in the file.
    #[serde(default)]
    pub resident: bool,
    /// Why it failed.
    pub error: Option<String>,
}

/// The rows of one generation, with the linked digest that they belong to.
#[derive(Serialize, Deserialize)]
struct Rows<R> {
    #[serde(with = "text")]
    digest: Digest,
    rows: R,
}

/// The state directory.
#[derive(Clone, Debug)]
pub(crate) struct StateDir {
    root: PathBuf,
}

impl StateDir {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    fn history_file(&self) -> PathBuf {
        self.root.join("history.jsonl")
    }

    fn image_file(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string().replace("blake3:", "");
        self.root.join("images").join(format!("{hex}.lrpc"))
    }

    fn rows_file(&self, generation: u64) -> PathBuf {
        self.root.join("rows").join(format!("{generation}.json"))
    }

    /// Makes sure that the history can be written.
    pub(crate) fn writable(&self) -> Result<(), StateError> {
        self.open_history().map(drop)
    }

    /// Keeps an image and a generation's rows.
    pub(crate) fn prepare(
        &self,
        generation: u64,
        image: &Image,
        digest: Digest,
        rows: &[Row],
    ) -> Result<(), StateError> {
        self.keep_image(image)?;
        self.keep_rows(generation, digest, rows)
    }

    /// Keeps an image under its digest.
    pub(crate) fn keep_image(&self, image: &Image) -> Result<(), StateError> {
        let file = self.image_file(&image.digest());
        if file.exists() { Ok(()) } else { replace(&file, |file| file.write_all(image.bytes())) }
    }

    /// Keeps the rows of a generation.
    pub(crate) fn keep_rows(&self, generation: u64, digest: Digest, rows: &[Row]) -> Result<(), StateError> {
        let rows = Each(rows, KeptRow);
        replace(&self.rows_file(generation), |file| Ok(serde_json::to_writer(file, &Rows { digest, rows })?))
    }

    /// The bytes of a kept image.
    pub(crate) fn image(&self, digest: &Digest) -> Option<Vec<u8>> {
        fs::read(self.image_file(digest)).ok()
    }

    /// The kept rows of a generation, if they are those of this linked digest; none where they are lost.
    pub(crate) fn rows(&self, generation: u64, digest: Digest) -> Vec<ShownRow> {
        let kept = fs::read(self.rows_file(generation)).ok();
        let kept: Option<Rows<Vec<ShownRow>>> = kept.and_then(|json| serde_json::from_slice(&json).ok());
        kept.filter(|kept| kept.digest == digest).map(|kept| kept.rows).unwrap_or_default()
    }

    fn open_history(&self) -> Result<File, StateError> {
        let path = self.history_file();
        let fail = |doing| {
            let path = path.clone();
            move |source| StateError { doing, path, source }
        };
        fs::create_dir_all(&self.root).map_err(fail("creating the directory of"))?;
        OpenOptions::new().create(true).append(true).open(&path).map_err(fail("opening"))
    }

    /// Adds a line to the history, on disk when this returns.
    pub(crate) fn remember(&self, event: &Event) -> Result<(), StateError> {
        let mut line = serde_json::to_vec(event).unwrap_or_default();
        line.push(b'\n');
        let mut file = self.open_history()?;
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(|source| StateError {
            doing: "writing",
            path: self.history_file(),
            source,
        })
    }

    /// The history, oldest first. A line that a dying loader cut short is passed over.
    pub(crate) fn history(&self) -> Result<Vec<Event>, StateError> {
        let path = self.history_file();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(StateError { doing: "reading", path, source }),
        }
    }

    /// Drops the images and rows of generations that are not resident any more. What cannot be removed is
    /// tried again next time.
    pub(crate) fn prune(&self, resident: &[(u64, Digest)]) {
        let images: Vec<_> = resident.iter().map(|(_, image)| self.image_file(image)).collect();
        let rows: Vec<_> = resident.iter().map(|(generation, _)| self.rows_file(*generation)).collect();
        for (directory, kept) in [("images", images), ("rows", rows)] {
            for entry in fs::read_dir(self.root.join(directory)).into_iter().flatten().flatten() {
                if !kept.contains(&entry.path()) {
                    // Best effort, as said above.
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }
}

/// Writes a file whole or not at all, as far as a process that dies goes. It does not wait for the disk: an
/// image carries a checksum, rows are only names, and waiting for the rows of a large set would take longer
/// than the swap.
fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), StateError> {
    let fail = |doing| move |source| StateError { doing, path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(fail("creating the directory of"))?;
    }
    let half = path.with_extension("half");
    let mut file = BufWriter::with_capacity(1 << 16, File::create(&half).map_err(fail("creating"))?);
    write(&mut file).and_then(|()| file.flush()).map_err(fail("writing"))?;
    fs::rename(&half, path).map_err(fail("renaming"))
}

#[cfg(test)]
mod tests;
