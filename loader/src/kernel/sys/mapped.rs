//! A word of the cell in our own memory, so that it is stored whole: a store by system call is a `memcpy`.

use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::map::{Kind, Map, Shape};
use super::{SysError, gate};

/// Eight bytes of an array map, shared with the kernel.
#[derive(Debug)]
pub(crate) struct MappedWord {
    page: NonNull<AtomicU64>,
    index: usize,
}

/// What mmap(2) is asked for: a page, of which every system has these bytes at least.
const LENGTH: usize = 4096;

impl MappedWord {
    /// Maps a word of an array of words that was created as mappable.
    pub(crate) fn of(map: &Map, index: u32) -> Result<Self, SysError> {
        let fail = |error: rustix::io::Errno| {
            SysError::new(format!("mapping `{}` into memory", map.name()), "mmap(2)", error)
        };
        gate::enter("mmap(2)")
            .map_err(|error| SysError::new("mapping the cell into memory", "mmap(2)", error))?;
        let Shape { kind, value_size, max_entries, .. } = map.shape();
        let words = max_entries.min(u32::try_from(LENGTH / size_of::<AtomicU64>()).unwrap_or(0));
        if kind != Kind::Array || value_size != 8 || index >= words {
            return Err(fail(rustix::io::Errno::INVAL));
        }
        let flags = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing.
        let page = unsafe { mmap(std::ptr::null_mut(), LENGTH, flags, MapFlags::SHARED, map.as_fd(), 0) }
            .map_err(fail)?;
        let page = NonNull::new(page.cast()).ok_or_else(|| fail(rustix::io::Errno::FAULT))?;
        Ok(Self { page, index: index as usize })
    }

    fn word(&self) -> &AtomicU64 {
        // SAFETY: the mapping has more words than `index`, as `of` checked.
        let word = unsafe { self.page.add(self.index) };
        // SAFETY: the mapping is page-aligned, lives as long as `self`, and its words are only ever read or written
        // as such atomics.
        unsafe { word.as_ref() }
    }

    pub(crate) fn load(&self) -> u64 {
        self.word().load(Ordering::Acquire)
    }

    pub(crate) fn store(&self, word: u64) {
        self.word().store(word, Ordering::Release);
    }
}

impl Drop for MappedWord {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `of` with this length, and no reference into it outlives `self`.
        let unmapped = unsafe { munmap(self.page.as_ptr().cast(), LENGTH) };
        debug_assert!(unmapped.is_ok(), "the mapping was ours");
    }
}
