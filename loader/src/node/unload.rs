//! `lrpc unload`: detach and remove everything.

use std::fs;

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
        let lock = match self.writer() {
            Ok(lock) => lock,
            Err(Error::NothingLoaded) => return Ok(Removed::default()),
            Err(error) => return Err(error),
        };
        // What cannot be read can still be removed.
        let loaded = Loaded::read(&self.pins).ok().flatten();
        if let Some(loaded) = &loaded {
            self.state.writable()?;
            loaded.shared.flip(lrpc_schema::records::Cell::EMPTY);
        }
        let removed = wipe(&lock, &self.pins)?;
        // A mount point, or a directory with pins of others, stays.
        let _ = fs::remove_dir(self.pins.root());
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
        self.state.prune(&[]);
        Ok(removed)
    }
}
