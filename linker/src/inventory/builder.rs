//! Makes an inventory out of dumps, and remembers what was wrong with them.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use super::problem::{Again, Problem};
use super::store::{Key, Met, Store};
use super::wire::Found;
use super::{Inventory, ReadError, read};

/// Collects an inventory out of dumps.
#[derive(Debug, Default)]
pub struct Builder {
    store: Store,
    skipped: Vec<Problem>,
    again: BTreeMap<Arc<str>, Again>,
    ignored: usize,
}

impl Builder {
    /// Adds the objects of one dump (YAML or JSON, lists or single objects); `name` is the file's, for
    /// messages.
    ///
    /// # Errors
    /// [`ReadError`] where the text is neither or was cut off; what stood before the mistake is kept.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), ReadError> {
        self.read(name, text.as_bytes())
    }

    /// [`add`](Self::add) for a dump of any size: no more than one object of it is in memory as a tree at a
    /// time.
    ///
    /// # Errors
    /// As [`add`](Self::add), and where `reader` fails.
    pub fn read(&mut self, name: &str, reader: impl BufRead) -> Result<(), ReadError> {
        let file: Arc<str> = name.into();
        read::objects(name, reader, &mut |found| self.take(&file, found))
    }

    /// What was wrong: objects that were skipped, in the order in which they were met, then for each file
    /// what had been given before.
    pub fn problems(&self) -> Vec<Problem> {
        let again = |(file, again): (&Arc<str>, &Again)| Problem::GivenTwice(file.clone(), again.clone());
        self.skipped.iter().cloned().chain(self.again.iter().map(again)).collect()
    }

    /// Number of objects of other kinds.
    pub fn ignored(&self) -> usize {
        self.ignored
    }

    /// The inventory of everything that was added.
    pub fn build(self) -> Inventory {
        self.store.snapshot()
    }

    fn take(&mut self, file: &Arc<str>, found: Found) {
        match found {
            Found::Object(object) => {
                let key = object.key();
                let met = self.store.upsert(object);
                if met != Met::Nothing && !matches!(key, Key::Namespace(_)) {
                    self.again.entry(file.clone()).or_default().count(&key, met);
                }
            }
            Found::Ignored => self.ignored += 1,
            Found::Broken { object, message } => {
                self.skipped.push(Problem::Skipped { file: file.clone(), object, message });
            }
        }
    }
}
