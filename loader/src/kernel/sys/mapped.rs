//! The cell's word in our own memory, so that it is stored whole: a store by system call is a `memcpy`.

use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::map::{Kind, Map};
use super::{SysError, gate};

/// The first eight bytes of an array map, shared with the kernel.
#[derive(Debug)]
pub(crate) struct MappedWord {
    page: NonNull<AtomicU64>,
}

/// What mmap(2) is asked for; the kernel rounds up to a page.
const LENGTH: usize = size_of::<AtomicU64>();

impl MappedWord {
    /// Maps the first word of an array that was created as mappable.
    pub(crate) fn of(map: &Map) -> Result<Self, SysError> {
        let fail = |error: rustix::io::Errno| {
            SysError::new(format!("mapping `{}` into memory", map.name()), "mmap(2)", error)
        };
        gate::enter("mmap(2)")
            .map_err(|error| SysError::new("mapping the cell into memory", "mmap(2)", error))?;
        if map.shape().kind != Kind::Array || map.shape().value_size < 8 {
            return Err(fail(rustix::io::Errno::INVAL));
        }
        let flags = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing.
        let page = unsafe { mmap(std::ptr::null_mut(), LENGTH, flags, MapFlags::SHARED, map.as_fd(), 0) }
            .map_err(fail)?;
        NonNull::new(page.cast()).map(|page| Self { page }).ok_or_else(|| fail(rustix::io::Errno::FAULT))
    }

    fn word(&self) -> &AtomicU64 {
        // SAFETY: the mapping is page-aligned, at least eight bytes long, lives as long as `self`, and is only
        // ever read or written as this atomic.
        unsafe { self.page.as_ref() }
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
