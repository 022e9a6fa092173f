//! `lrpc unload`: detach and remove everything.

use serde::Serialize;

use super::apply::in_words;
use super::loaded::Found;
use super::recover::Removed;
use super::steps;
use super::transaction::Transaction;
use super::{Error, Node, Step};
use crate::kernel::order::Cause;
use crate::state::{Action, Event};

/// What an unload did. Serialises as CONTRACT says.
#[derive(Debug, Default, Serialize)]
pub struct Unloaded {
    /// How much was removed.
    pub removed: Removed,
    /// What failed once nothing was redirected any more, and what was left because it is not lrpc's.
    #[serde(serialize_with = "in_words")]
    pub troubles: Vec<Error>,
}

impl Node {
    /// Removes all links and maps, also what a loader that died has left, and what other versions pinned. The
    /// history stays, and so does whatever is not lrpc's. Where nothing is loaded, nothing is removed.
    ///
    /// # Errors
    /// The kernel refuses. Whatever was removed until then, packets see no generation half.
    pub fn unload(&self) -> Result<Unloaded, Error> {
        let Some(writer) = self.existing_writer()? else {
            return Ok(Unloaded::default());
        };
        // What cannot be read can still be removed.
        let found = Found::read(&writer).unwrap_or(Found::Nothing);
        // A memory that cannot be written keeps nothing loaded.
        let claimed = self.is_remembered_here(&found).and_then(|()| Ok(self.state.claim(writer.root())?));
        let watch = &mut |_: &Step| {};
        let transaction = Transaction::new(self, &writer, Cause::Rollback, watch);
        let (transaction, plan) = match found {
            Found::Loaded(loaded) => {
                let record = loaded.record().ok().flatten().cloned();
                let event = record.as_ref().map(|record| Event::of(Action::Unload, record));
                (transaction.recording(None, event).from(*loaded)?, steps::plan_unload(true))
            }
            Found::Nothing | Found::Orphaned(_) => (transaction, steps::plan_unload(false)),
        };
        let plan = match claimed {
            Ok(_) => plan,
            Err(_) => plan.without_memory(),
        };
        let mut done = transaction.run(&plan)?;
        done.troubles.extend(claimed.err());
        done.troubles.extend(match writer.foreign() {
            Ok(names) if names.is_empty() => None,
            Ok(names) => Some(Error::Left { bpffs: writer.path(), names }),
            Err(error) => Some(error.into()),
        });
        Ok(Unloaded { removed: done.removed, troubles: done.troubles })
    }
}
