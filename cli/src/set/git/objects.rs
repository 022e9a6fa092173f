//! What git prints, read as it comes and no further than the limits: a small repository can unfold into a tree of
//! any size, in which one blob is any number of files.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use lrpc_compiler::Source;

/// Files and folders that a tree is searched through.
const MAX_ENTRIES: usize = 4_000_000;
/// Manifests of a revision.
const MAX_FILES: usize = 200_000;
/// Bytes of all manifests of a revision.
const MAX_TOTAL: usize = 512 << 20;
/// Blobs that git is asked for at once. The names of so many (65 bytes each at most) fit any pipe, so that asking
/// never waits for git, which may itself be waiting for its answers to be read.
const ASKED: usize = 60;

/// A revision is larger than lrpc reads, or git says something else than expected.
#[derive(Debug, thiserror::Error)]
pub(super) enum ObjectsError {
    #[error("it has more than {MAX_ENTRIES} files")]
    Entries,
    #[error("it has more than {MAX_FILES} manifests")]
    Files,
    #[error("its manifests have more than {} MiB", MAX_TOTAL >> 20)]
    Total,
    #[error("git does not say what is in it")]
    Unsaid,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A file in a tree.
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) object: String,
    pub(super) is_link: bool,
}

impl Entry {
    /// `MODE TYPE OBJECT\tPATH`. A path that is not UTF-8 is shown with replacement characters, as elsewhere.
    fn listed(line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line);
        let (facts, path) = line.split_once('\t')?;
        let mut facts = facts.split(' ');
        let (mode, _, object) = (facts.next()?, facts.next()?, facts.next()?);
        Some(Self { path: path.to_owned(), object: object.to_owned(), is_link: mode == "120000" })
    }
}

/// A command of git that is running; it ends with its owner.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Result<(Self, BufReader<ChildStdout>), ObjectsError> {
        // Nobody reads what it says beside; a full pipe would stop it.
        let mut child = command.stderr(Stdio::null()).spawn()?;
        let stdout = child.stdout.take().ok_or(ObjectsError::Unsaid)?;
        Ok((Self(child), BufReader::new(stdout)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and one that was stopped says nothing that is needed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The files that `ls-tree -r -z` lists and `is_meant` wants.
///
/// # Errors
/// When there are too many, or git cannot be run. `None` where git ends with an error.
pub(super) fn list(
    command: &mut Command,
    is_meant: impl Fn(&Entry) -> bool,
) -> Result<Option<Vec<Entry>>, ObjectsError> {
    let (mut running, mut stdout) = Running::start(command)?;
    let (mut entries, mut line) = (Vec::new(), Vec::new());
    for number in 0.. {
        line.clear();
        if stdout.read_until(0, &mut line)? == 0 {
            break;
        }
        if number >= MAX_ENTRIES {
            return Err(ObjectsError::Entries);
        }
        let listed = line.strip_suffix(b"\0").and_then(Entry::listed);
        entries.extend(listed.filter(&is_meant));
        if entries.len() > MAX_FILES {
            return Err(ObjectsError::Files);
        }
    }
    Ok(running.0.wait()?.success().then_some(entries))
}

/// The contents of blobs, in their order, as `cat-file --batch` gives them; of one that is too long for a
/// manifest, what makes it too long.
///
/// # Errors
/// When they are too much together, or git does not say one.
pub(super) fn contents(command: &mut Command, objects: &[&str]) -> Result<Vec<Vec<u8>>, ObjectsError> {
    let (mut running, mut stdout) = Running::start(command)?;
    let mut stdin = running.0.stdin.take().ok_or(ObjectsError::Unsaid)?;
    let mut left = MAX_TOTAL;
    let mut blobs = Vec::new();
    for asked in objects.chunks(ASKED) {
        let requests: String = asked.iter().map(|object| format!("{object}\n")).collect();
        stdin.write_all(requests.as_bytes())?;
        for _ in asked {
            let blob = batched(&mut stdout)?.ok_or(ObjectsError::Unsaid)?;
            left = left.checked_sub(blob.len()).ok_or(ObjectsError::Total)?;
            blobs.push(blob);
        }
    }
    Ok(blobs)
}

/// The next answer of `cat-file --batch`: `OBJECT TYPE SIZE`, a line end, the bytes, a line end.
fn batched(from: &mut BufReader<ChildStdout>) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    from.by_ref().take(1000).read_until(b'\n', &mut head)?;
    let size =
        std::str::from_utf8(&head).ok().and_then(|head| head.trim_end().split(' ').nth(2)?.parse().ok());
    let Some(size) = size else { return Ok(None) };
    let most = Source::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = from.by_ref().take(most.min(size)).read_to_end(&mut bytes)? as u64;
    let rest = io::copy(&mut from.by_ref().take(size - read + 1), &mut io::sink())?;
    Ok((read + rest == size + 1).then_some(bytes))
}
