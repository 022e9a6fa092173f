//! The history: a line of JSON for each event, oldest first.
//!
//! It is bytes before it is text: a line that is no event, or not even UTF-8, is passed over and takes no other
//! with it. Neither the file nor what is read of it grows without bound.

use super::{Event, StateDir, StateError};
use crate::fs::Dir;

const HISTORY: &str = "history.jsonl";

/// How long the file may get; beyond it, only the newest events stay.
const LONGEST: u64 = 1 << 20;
/// How many bytes of events stay then: about two thousand events.
const KEPT: u64 = 1 << 19;

/// Numbers from here on are not believed: no node applies so often, and the cell has room for 48 bits.
const UNBELIEVABLE: u64 = 1 << 47;

/// What the history says.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The events, oldest first.
    pub(crate) events: Vec<Event>,
    /// There are lines that are none, and were passed over.
    pub(crate) trouble: Option<StateError>,
}

impl StateDir {
    /// The history. What is in the file is no failure: what cannot be understood is a trouble beside the rest.
    ///
    /// # Errors
    /// The directory cannot be trusted or the file cannot be read.
    pub(crate) fn history(&self) -> Result<History, StateError> {
        match self.readable()? {
            Some(dir) => read(&dir),
            None => Ok(History::default()),
        }
    }

    /// Adds an event, on disk when this returns.
    ///
    /// # Errors
    /// The directory cannot be trusted or the file cannot be written.
    pub(crate) fn remember(&self, event: &Event) -> Result<(), StateError> {
        let dir = self.make()?;
        let line = serde_json::to_vec(event).map_err(StateError::Unwritable)?;
        dir.append(HISTORY, &line)?;
        cut(&dir)
    }
}

/// Makes sure that events can be added.
pub(super) fn writable(dir: &Dir) -> Result<(), StateError> {
    Ok(dir.appendable(HISTORY)?)
}

/// The history in a directory.
pub(super) fn read(dir: &Dir) -> Result<History, StateError> {
    let bytes = dir.read_end(HISTORY, LONGEST)?.unwrap_or_default();
    let lines = whole_lines(&bytes);
    let believed = |event: &Event| event.generation.get() < UNBELIEVABLE;
    let events: Vec<Event> =
        lines.clone().filter_map(|line| serde_json::from_slice(line).ok().filter(believed)).collect();
    let passed_over = lines.count() - events.len();
    let trouble = (passed_over > 0)
        .then(|| StateError::PassedOver { path: dir.path().join(HISTORY), lines: passed_over });
    Ok(History { events, trouble })
}

/// The lines of what was read, empty ones left out. Where the beginning was not read, its rest is no line.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let begun_before = bytes.len() as u64 >= LONGEST;
    let lines = bytes.split(|&byte| byte == b'\n').skip(usize::from(begun_before));
    lines.filter(|line| !line.trim_ascii().is_empty())
}

/// Keeps the newest lines, as they are, of a file that has become too long.
fn cut(dir: &Dir) -> Result<(), StateError> {
    if dir.length(HISTORY)?.is_none_or(|length| length < LONGEST) {
        return Ok(());
    }
    let newest = dir.read_end(HISTORY, KEPT)?.unwrap_or_default();
    let begin = newest.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let newest = newest.get(begin..).unwrap_or_default();
    Ok(dir.replace(HISTORY, |file| std::io::Write::write_all(file, newest))?)
}
