//! The one way to hand stack memory to a helper.
//!
//! The programs load with CAP_BPF and CAP_NET_ADMIN alone. Without CAP_PERFMON the verifier of Linux 6.1
//! wants every 8-byte slot of a buffer written once and whole ("attempt to corrupt spilled pointer on
//! stack"), and refuses LLVM's calls of `memset` and `memcpy` ("pointer arithmetic with it prohibited for
//! !root"). Volatile stores of whole words are neither split, merged nor turned into calls.
#![expect(unsafe_code, reason = "volatile stores go through raw pointers")]

use core::mem::MaybeUninit;
use core::ptr::write_volatile;

/// Puts words on the stack and calls `read` with their address, which is good until `read` returns.
#[inline(always)]
pub(crate) fn with_words<const N: usize, R>(words: [u64; N], read: impl FnOnce(*mut u64) -> R) -> R {
    let mut place = MaybeUninit::<[u64; N]>::uninit();
    let start = place.as_mut_ptr().cast();
    // SAFETY: `place` is N words.
    unsafe { store_words(start, words) };
    read(start)
}

/// Stores words one by one.
///
/// # Safety
/// `start` is aligned and good for writing N words.
#[inline(always)]
pub(crate) unsafe fn store_words<const N: usize>(start: *mut u64, words: [u64; N]) {
    let mut index = 0;
    while let Some(word) = words.get(index) {
        // SAFETY: `index` is below N, since `words` has an element there.
        let slot = unsafe { start.add(index) };
        // SAFETY: `slot` is one of the N words.
        unsafe { write_volatile(slot, *word) };
        index = index.wrapping_add(1);
    }
}
