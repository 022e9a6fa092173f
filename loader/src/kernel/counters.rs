//! What the programs have counted, by frontend: outside of the generations, as sums over all CPUs.

use std::collections::BTreeMap;

use lrpc_schema::records::{COUNTERS, CountPlace, Counts, FrontendKey};

use super::pins::Folder;
use super::shared::{SharedError, open};
use super::sys::SysError;
use super::sys::map::Kind;
use super::sys::percpu::PerCpuArray;
use super::writer::{Reader, Writer};

/// The counters of an instance.
#[derive(Debug)]
pub(crate) struct Counters {
    places: PerCpuArray,
}

impl Counters {
    /// Opens the pinned counters; `None` where nothing has been counted yet.
    pub(crate) fn open(reader: &Reader) -> Result<Option<Self>, SharedError> {
        let Some(map) = open(reader, &Folder::Sockets, COUNTERS, reader.access())? else {
            return Ok(None);
        };
        let shape = map.shape();
        if (shape.kind, shape.value_size as usize, shape.max_entries)
            != (Kind::PerCpuArray, CountPlace::SIZE, CountPlace::COUNT)
        {
            return Err(SharedError::Shape(COUNTERS.to_owned()));
        }
        Ok(Some(Self { places: PerCpuArray::of(map)? }))
    }

    /// What was counted of each frontend.
    pub(crate) fn read(&self) -> Result<BTreeMap<FrontendKey, Counts>, SysError> {
        let mut read: BTreeMap<FrontendKey, Counts> = BTreeMap::new();
        self.places.each(&mut |_, values| {
            for place in on_cpus(values) {
                if let Some(frontend) = place.frontend() {
                    let sum = read.entry(frontend).or_default();
                    *sum = sum.and(place.counts());
                }
            }
        })?;
        Ok(read)
    }

    /// How many decisions could not be told to a monitor.
    pub(crate) fn lost(&self) -> Result<u64, SysError> {
        Ok(self.rest()?.iter().map(CountPlace::lost).sum())
    }

    /// How many decisions were not counted, since their frontends found no place.
    pub(crate) fn uncounted(&self) -> Result<u64, SysError> {
        Ok(self.rest()?.iter().map(CountPlace::uncounted).sum())
    }

    /// Frees the places of frontends that are not to be kept. A place that another CPU has given to one that is stays
    /// as it is, since what is counted there meanwhile would be lost.
    pub(crate) fn forget<E: From<SysError>>(
        &self,
        _writer: &Writer,
        mut is_kept: impl FnMut(&FrontendKey) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut taken = Vec::new();
        self.places.each(&mut |index, values| {
            let frontends: Vec<_> = on_cpus(values).filter_map(|place| place.frontend()).collect();
            if !frontends.is_empty() {
                taken.push((index, frontends));
            }
        })?;
        for (index, frontends) in taken {
            let mut is_used = false;
            for frontend in &frontends {
                is_used |= is_kept(frontend)?;
            }
            if !is_used {
                self.places.clear(index)?;
            }
        }
        Ok(())
    }

    /// The place that counts what the others cannot, on each CPU.
    fn rest(&self) -> Result<Vec<CountPlace>, SysError> {
        Ok(on_cpus(&self.places.get(CountPlace::REST)?).collect())
    }
}

/// What one place holds, on each CPU.
fn on_cpus(values: &[u8]) -> impl Iterator<Item = CountPlace> {
    let values = values.chunks_exact(CountPlace::SIZE).filter_map(|value| value.try_into().ok());
    values.map(CountPlace::from_bytes)
}
