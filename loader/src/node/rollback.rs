//! `lrpc rollback`: the same flip, to an earlier resident generation.

use lrpc_schema::records::Cell;

use super::recover::recover;
use super::{Applied, Error, ExistingCount, Loaded, Node};
use crate::clock;
use crate::state::{Action, Event, Outcome};

impl Node {
    /// Makes a resident generation the active one: `to`, or the newest that is earlier than the active.
    ///
    /// # Errors
    /// Nothing is loaded, there is no such generation, or the kernel refuses. Nothing changed then.
    pub fn rollback(&self, to: Option<u64>) -> Result<Applied, Error> {
        let lock = self.writer()?.ok_or(Error::NothingLoaded)?;
        let loaded = recover(&lock, &self.pins)?.ok_or(Error::NothingLoaded)?;
        self.state.claim(lock.dir())?;
        let resident = loaded.numbers();
        let generation = target(&resident, loaded.active, to)?;
        let no_such = || Error::NoSuchGeneration { generation, resident: resident.clone() };
        let chosen = loaded.resident.get(&generation).ok_or_else(no_such)?;
        let changed = generation != loaded.active;
        let mut troubles = Vec::new();
        if changed {
            loaded.shared.flip(Cell::new(generation, chosen.slot));
            if let Some(record) = &chosen.record {
                let event = Event {
                    generation,
                    at: clock::now(),
                    action: Action::Rollback,
                    image: record.image,
                    digest: record.digest,
                    result: Outcome::Ok,
                    resident: false,
                    error: None,
                };
                troubles.extend(self.state.remember(&event).err().map(Error::from));
            }
        }
        Ok(Applied {
            status: self.status_of(Loaded::read(&self.pins)?.as_ref())?,
            previous: Some(loaded.active),
            changed,
            existing: ExistingCount::default(),
            warnings: Vec::new(),
            troubles,
        })
    }
}

/// Which generation is meant.
fn target(resident: &[u64], active: u64, to: Option<u64>) -> Result<u64, Error> {
    let earlier = || resident.iter().copied().filter(|&generation| generation < active).max();
    match to {
        Some(to) => Ok(to),
        None => earlier().ok_or_else(|| Error::NoEarlier { active, resident: resident.to_vec() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_earlier_generation_is_meant_unless_one_is_named() {
        assert_eq!(target(&[5, 6, 7], 7, None).unwrap(), 6);
        assert_eq!(target(&[5, 6, 7], 6, None).unwrap(), 5);
        assert_eq!(target(&[5, 6, 7], 5, Some(7)).unwrap(), 7);
        assert!(matches!(target(&[6, 7], 6, None), Err(Error::NoEarlier { active: 6, .. })));
    }
}
