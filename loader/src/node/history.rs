//! `lrpc history`: what was done here, newest first.

use lrpc_linker::MapSet;

use super::loaded::{Found, Loaded};
use super::{Error, Node};
use crate::state::{Event, Outcome};

impl Node {
    /// The history that the state directory holds, newest first, with what is resident now.
    ///
    /// # Errors
    /// The state directory cannot be read, or the kernel refuses to say what is resident.
    pub fn history(&self) -> Result<Vec<Event>, Error> {
        let reader = self.reader()?;
        let found = reader.as_ref().map(Found::read).transpose()?;
        let resident = found.as_ref().and_then(Found::loaded).map(Loaded::numbers).unwrap_or_default();
        found.as_ref().map_or(Ok(()), |found| self.is_remembered_here(found))?;
        let mut events = self.state.history()?.events;
        for event in &mut events {
            event.resident = event.result == Outcome::Ok && resident.contains(&event.generation);
        }
        events.reverse();
        Ok(events)
    }

    /// The bytes of the active image, if the state directory has kept it.
    ///
    /// # Errors
    /// The kernel refuses to say what is active, or the state directory cannot be read.
    pub fn image(&self) -> Result<Option<Vec<u8>>, Error> {
        let reader = self.reader()?;
        let found = reader.as_ref().map(Found::read).transpose()?;
        let record = found.as_ref().and_then(Found::loaded).map(Loaded::record).transpose()?.flatten();
        Ok(record.map(|record| self.state.image(&record.image)).transpose()?.flatten())
    }

    /// The map set of the active generation, if the state directory has kept it.
    ///
    /// # Errors
    /// As [`image`](Self::image).
    pub fn map_set(&self) -> Result<Option<MapSet>, Error> {
        let reader = self.reader()?;
        let found = reader.as_ref().map(Found::read).transpose()?;
        let Some(loaded) = found.as_ref().and_then(Found::loaded) else { return Ok(None) };
        let Some(record) = loaded.record()? else { return Ok(None) };
        Ok(self.state.kept_set(loaded.active, record.digest)?)
    }
}
