//! What the programs have counted, by frontend: outside of the generations, as sums over all CPUs.

use std::collections::BTreeMap;

use lrpc_schema::records::{COUNTERS, Counts, FrontendKey};

use super::pins::Folder;
use super::shared::{SharedError, open};
use super::sys::map::Kind;
use super::sys::percpu::PerCpuHash;
use super::sys::{Access, SysError};
use super::writer::{Reader, Writer};

/// The counters of an instance.
#[derive(Debug)]
pub(crate) struct Counters {
    hash: PerCpuHash,
}

impl Counters {
    /// Opens the pinned counters; `None` where nothing has been counted yet.
    pub(crate) fn open(reader: &Reader) -> Result<Option<Self>, SharedError> {
        Self::opened(reader, reader.access())
    }

    /// Opens them to count what is lost.
    pub(super) fn open_for_lost(reader: &Reader) -> Result<Option<Self>, SharedError> {
        let counters = Self::opened(reader, Access::Write)?;
        if let Some(Self { hash }) = &counters {
            hash.make(&Counts::LOST.to_bytes())?;
        }
        Ok(counters)
    }

    fn opened(reader: &Reader, access: Access) -> Result<Option<Self>, SharedError> {
        let Some(map) = open(reader, &Folder::Sockets, COUNTERS, access)? else {
            return Ok(None);
        };
        let shape = map.shape();
        let sizes = (shape.key_size as usize, shape.value_size as usize);
        if (shape.kind, sizes) != (Kind::PerCpuHash, (FrontendKey::SIZE, Counts::SIZE)) {
            return Err(SharedError::Shape(COUNTERS.to_owned()));
        }
        Ok(Some(Self { hash: PerCpuHash::of(map)? }))
    }

    /// What was counted of each frontend.
    pub(crate) fn read(&self) -> Result<BTreeMap<FrontendKey, Counts>, SysError> {
        let mut read = BTreeMap::new();
        self.hash.each(&mut |key, values| {
            if let Ok(key) = key.try_into() {
                read.insert(FrontendKey::from_bytes(key), sum(values));
            }
        })?;
        read.remove(&Counts::LOST);
        Ok(read)
    }

    /// How many decisions could not be told to a monitor.
    pub(crate) fn lost(&self) -> Result<u64, SysError> {
        let values = self.hash.get(&Counts::LOST.to_bytes())?;
        Ok(values.map_or(0, |values| sum(&values).total()))
    }

    /// Forgets the counts of every frontend that is not to be kept.
    pub(crate) fn forget<E: From<SysError>>(
        &self,
        _writer: &Writer,
        mut is_kept: impl FnMut(&FrontendKey) -> Result<bool, E>,
    ) -> Result<(), E> {
        for key in self.read()?.keys() {
            if !is_kept(key)? {
                self.hash.remove(&key.to_bytes())?;
            }
        }
        Ok(())
    }
}

/// The counts of all CPUs together.
fn sum(values: &[u8]) -> Counts {
    let counts = values.chunks_exact(Counts::SIZE).filter_map(|value| value.try_into().ok());
    counts.map(Counts::from_bytes).fold(Counts::default(), Counts::and)
}

#[cfg(test)]
mod tests {
    use lrpc_schema::records::Fate;

    use super::*;

    #[test]
    fn the_counts_of_all_cpus_are_one() {
        let one =
            [Fate::Redirected, Fate::Dropped, Fate::Redirected].map(|fate| Counts::one(fate).to_bytes());
        let counts = sum(&one.concat());
        assert_eq!(Fate::ALL.map(|fate| counts.of(fate)), [2, 1, 0, 0]);
        assert_eq!(counts.total(), 3);
    }
}
