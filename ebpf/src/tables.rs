//! The maps, and the only code that touches them.
//!
//! `frontends` and `backends` are made and pinned by the loader, which hands them in by pin; the templates
//! here name the records. No program reads `meta` so far, so it is not declared.
#![expect(unsafe_code, reason = "helpers take and give raw pointers")]

use core::ffi::c_void;
use core::ptr::{null_mut, read_volatile};

use aya_ebpf::bindings::{BPF_F_MMAPABLE, BPF_SK_STORAGE_GET_F_CREATE};
use aya_ebpf::btf_maps::{Array, ArrayOfMaps, HashMap, SkStorage};
use aya_ebpf::helpers::generated::{
    bpf_get_prandom_u32, bpf_get_socket_cookie, bpf_map_lookup_elem, bpf_sk_storage_delete,
    bpf_sk_storage_get,
};
use aya_ebpf::macros::btf_map;
use lrpc_ebpf::kernel::Kernel;
use lrpc_schema::records::{Backend, Cell, FrontendKey, FrontendValue, Peer, Slot};

use crate::context::Context;
use crate::stack::{store_words, with_words};

/// The cell that says which generation is active; user space stores into its mapped page.
#[btf_map(name = "cell")]
static CELL: Array<u64, 1, { BPF_F_MMAPABLE as usize }> = Array::new();

/// Slot to the frontend table of a generation.
#[btf_map(name = "frontends")]
static FRONTENDS: ArrayOfMaps<HashMap<FrontendKey, FrontendValue, 1>, 1> = ArrayOfMaps::new();

/// Slot to the backend table of a generation.
#[btf_map(name = "backends")]
static BACKENDS: ArrayOfMaps<Array<Backend, 1>, 1> = ArrayOfMaps::new();

/// What redirected sockets remember. It outlives every generation.
#[btf_map(name = "peers_v1")]
static PEERS: SkStorage<Peer> = SkStorage::new();

impl Kernel for Context {
    #[inline(always)]
    fn cell(&self) -> Cell {
        match element::<u64>(map(&CELL), 0) {
            // SAFETY: `word` is the map's only element, which lives as long as the map. Volatile, so that
            // LLVM reads it once and never again: a second read may name another generation.
            Some(word) => Cell::from_word(unsafe { read_volatile(word) }),
            None => Cell::EMPTY,
        }
    }

    #[inline(always)]
    fn frontend(&self, slot: Slot, key: FrontendKey) -> Option<&FrontendValue> {
        let table = element::<c_void>(map(&FRONTENDS), u32::from(slot.get()))?;
        with_words(*key.words(), |key| look_up(table, key))
            // SAFETY: the table is frozen before its generation is published, and stays until after the
            // grace period that follows this run.
            .map(|value| unsafe { &*value })
    }

    #[inline(always)]
    fn backend(&self, slot: Slot, index: u32) -> Option<&Backend> {
        let table = element::<c_void>(map(&BACKENDS), u32::from(slot.get()))?;
        // SAFETY: as for frontends.
        element(table, index).map(|value| unsafe { &*value })
    }

    #[inline(always)]
    fn random(&self) -> u32 {
        // SAFETY: the helper takes nothing.
        unsafe { bpf_get_prandom_u32() }
    }

    #[inline(always)]
    fn cookie(&self) -> u64 {
        // SAFETY: the helper takes the context of the run.
        unsafe { bpf_get_socket_cookie(self.as_ptr()) }
    }

    #[inline(always)]
    fn recall(&self) -> Option<&Peer> {
        // SAFETY: storage that a helper gives out lives until the run ends.
        self.storage(0).map(|peer| unsafe { &*peer })
    }

    #[inline(always)]
    fn remember(&self, peer: Peer) -> bool {
        let Some(place) = self.storage(u64::from(BPF_SK_STORAGE_GET_F_CREATE)) else {
            return false;
        };
        // SAFETY: `place` is this socket's storage of one `Peer`.
        unsafe { store_words(place.cast(), *peer.words()) };
        true
    }

    #[inline(always)]
    fn forget(&self) {
        // Deleting takes a reference of the socket first, also where there is nothing to delete.
        if self.recall().is_some() {
            // SAFETY: the map is a socket storage, and the socket is the context's.
            unsafe { bpf_sk_storage_delete(map(&PEERS), self.socket()) };
        }
    }
}

impl Context {
    /// The socket's storage. A new one is zeroed: passing it a value would only initialise a new one, while
    /// an old one must be overwritten too.
    #[inline(always)]
    fn storage(&self, flags: u64) -> Option<*mut Peer> {
        // SAFETY: the map is a socket storage, the socket is the context's, and no value is passed.
        let place = unsafe { bpf_sk_storage_get(map(&PEERS), self.socket(), null_mut(), flags) };
        if place.is_null() { None } else { Some(place.cast()) }
    }
}

/// The map that the loader puts in the place of a static.
#[inline(always)]
fn map<M>(declared: &'static M) -> *mut c_void {
    core::ptr::from_ref(declared).cast_mut().cast()
}

/// An element of an array, or the inner map in a slot of an outer one. The index is the low half of a word:
/// the programs are little-endian.
#[inline(always)]
fn element<V>(array: *mut c_void, index: u32) -> Option<*mut V> {
    with_words([u64::from(index)], |key| look_up(array, key))
}

#[inline(always)]
fn look_up<V>(table: *mut c_void, key: *mut u64) -> Option<*mut V> {
    // SAFETY: `table` is a map, or an inner map that a look-up gave; `key` is as long as its keys.
    let place = unsafe { bpf_map_lookup_elem(table, key.cast()) };
    if place.is_null() { None } else { Some(place.cast()) }
}
