//! `lrpc unload`: detach and remove everything.

use super::recover::{Removed, wipe};
use super::{Error, Loaded, Node};
use crate::clock;
use crate::state::{Action, Event, Outcome};

impl Node {
    /// Removes all links and maps, also what a loader that died has left, and what other versions pinned. The
    /// history stays. Where nothing is loaded, nothing is removed.
    ///
    /// # Errors
    /// The kernel refuses. Whatever was removed until then, packets see no generation half.
    pub fn unload(&self) -> Result<Removed, Error> {
        let Some(lock) = self.writer()? else {
            return Ok(Removed::default());
        };
        // What cannot be read can still be removed.
        let loaded = Loaded::read(&self.pins).ok().flatten();
        if let Some(loaded) = &loaded {
            self.state.claim(lock.dir())?;
            loaded.shared.flip(lrpc_schema::records::Cell::EMPTY);
        }
        let removed = wipe(&lock, &self.pins)?;
        if let Some(loaded) = &loaded
            && let Some(record) = loaded.record()
        {
            let event = Event {
                generation: loaded.active,
                at: clock::now(),
                action: Action::Unload,
                image: record.image,
                digest: record.digest,
                result: Outcome::Ok,
                resident: false,
                error: None,
            };
            self.state.remember(&event)?;
        }
        self.state.prune(&[])?;
        Ok(removed)
    }
}
