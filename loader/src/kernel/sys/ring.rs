//! Ring buffers: what programs put in is taken out here, by one reader.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use aya::maps::{Map as AyaMap, MapData, MapError, RingBuf};

use super::map::{Kind, Map};
use super::{SysError, gate};

/// A ring buffer, mapped into memory.
#[derive(Debug)]
pub(crate) struct Ring {
    ring: Opaque,
}

/// aya's, which says nothing of itself.
struct Opaque(RingBuf<MapData>);

impl std::fmt::Debug for Opaque {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RingBuf")
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.0.as_fd()
    }
}

impl Ring {
    /// The ring that a map is, opened for writing: what is taken out is written there.
    pub(crate) fn of(map: Map) -> Result<Self, SysError> {
        let doing = format!("mapping `{}` into memory", map.name());
        let fail = |error: io::Error| SysError::new(doing.clone(), "mmap(2)", error);
        let fail_aya = |error: MapError| fail(io::Error::other(error));
        gate::enter("mmap(2)").map_err(fail)?;
        if map.shape().kind != Kind::Ring {
            return Err(fail(io::ErrorKind::InvalidInput.into()));
        }
        let data = MapData::from_fd(map.into_fd()).map_err(fail_aya)?;
        let map = AyaMap::from_map_data(data).map_err(fail_aya)?;
        Ok(Self { ring: Opaque(RingBuf::try_from(map).map_err(fail_aya)?) })
    }

    /// Takes out the oldest record, if it has this size; `None` where there is none.
    pub(crate) fn take<const SIZE: usize>(&mut self) -> Option<[u8; SIZE]> {
        while let Some(record) = self.ring.0.next() {
            if let Ok(record) = <[u8; SIZE]>::try_from(&*record) {
                return Some(record);
            }
        }
        None
    }
}
