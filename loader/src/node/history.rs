//! `lrpc history`: what was done here, newest first.

use lrpc_linker::MapSet;

use super::{Error, Node};
use crate::state::{Event, Outcome};

impl Node {
    /// The history that the state directory holds, newest first, with what is resident now.
    ///
    /// # Errors
    /// The state directory cannot be read, or the kernel refuses to say what is resident.
    pub fn history(&self) -> Result<Vec<Event>, Error> {
        let resident = self.read()?.map(|(_, loaded)| loaded.numbers()).unwrap_or_default();
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
        let read = self.read()?;
        let image = read.as_ref().and_then(|(_, loaded)| loaded.record()).map(|record| record.image);
        Ok(image.map(|digest| self.state.image(&digest)).transpose()?.flatten())
    }

    /// The map set of the active generation, if the state directory has kept it.
    ///
    /// # Errors
    /// As [`image`](Self::image).
    pub fn map_set(&self) -> Result<Option<MapSet>, Error> {
        let Some((_lock, loaded)) = self.read()? else { return Ok(None) };
        let kept = self.state.generation(loaded.active)?;
        let is_it = |digest| loaded.record().is_some_and(|record| record.digest == digest);
        Ok(kept.filter(|(kept, _)| is_it(kept.digest)).map(|(_, set)| set))
    }
}
