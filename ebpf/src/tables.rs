//! The maps, and the only code that touches them.
//!
//! The outer maps are made and pinned by the loader, which hands them in by pin; the templates here name the
//! records. The others are made from what stands here.
#![expect(unsafe_code, reason = "helpers take and give raw pointers")]

use core::arch::asm;
use core::ffi::c_void;
use core::ptr::{null_mut, read_volatile, write_volatile};

use aya_ebpf::bindings::{BPF_F_MMAPABLE, BPF_SK_STORAGE_GET_F_CREATE};
use aya_ebpf::btf_maps::{Array, ArrayOfMaps, HashMap, PerCpuArray, RingBuf, SkStorage};
use aya_ebpf::helpers::generated::{
    bpf_get_current_ancestor_cgroup_id, bpf_get_current_cgroup_id, bpf_get_current_pid_tgid,
    bpf_get_netns_cookie, bpf_get_prandom_u32, bpf_get_socket_cookie, bpf_ktime_get_boot_ns,
    bpf_map_lookup_elem, bpf_ringbuf_output, bpf_sk_storage_delete, bpf_sk_storage_get,
};
use aya_ebpf::macros::btf_map;
use lrpc_ebpf::kernel::Kernel;
use lrpc_schema::records::{
    Backend, Cell, CountPlace, Datagrams, Decided, Fate, FrontendKey, FrontendValue, META_SIZE, MemberKey,
    Meta, Peer, Slot, Switches,
};

use crate::context::Context;
use crate::stack::{store_words, with_words};

/// The cell that says which generation is active, and the switches; user space stores into their mapped page.
#[btf_map(name = "cell")]
static CELL: Array<u64, 2, { BPF_F_MMAPABLE as usize }> = Array::new();

/// Slot to the frontend table of a generation.
#[btf_map(name = "frontends")]
static FRONTENDS: ArrayOfMaps<HashMap<FrontendKey, FrontendValue, 1>, 1> = ArrayOfMaps::new();

/// Slot to the backend table of a generation.
#[btf_map(name = "backends")]
static BACKENDS: ArrayOfMaps<Array<Backend, 1>, 1> = ArrayOfMaps::new();

/// Slot to the sets of pods of a generation.
#[btf_map(name = "members")]
static MEMBERS: ArrayOfMaps<HashMap<MemberKey, u64, 1>, 1> = ArrayOfMaps::new();

/// Slot to the filter of a generation.
#[btf_map(name = "filter")]
static FILTER: ArrayOfMaps<Array<u64, 1>, 1> = ArrayOfMaps::new();

/// Slot to what else a generation says.
#[btf_map(name = "meta")]
static META: ArrayOfMaps<Array<[u64; META_SIZE / 8], 1>, 1> = ArrayOfMaps::new();

/// What connected and redirected sockets remember. It outlives every generation, as do those below.
#[btf_map(name = "peers_v1")]
static PEERS: SkStorage<Peer> = SkStorage::new();

/// What unconnected sockets remember; the value is a [`Datagrams`].
#[btf_map(name = "datagrams_v1")]
static DATAGRAMS: SkStorage<[u64; Datagrams::SIZE / 8]> = SkStorage::new();

/// What was counted, by frontend.
#[btf_map(name = "counters_v1")]
static COUNTERS: PerCpuArray<CountPlace, { CountPlace::COUNT as usize }> = PerCpuArray::new();

/// Bytes of the ring of events: 1,300 of them.
const EVENTS_SIZE: usize = 1 << 17;

/// What is told while somebody looks.
#[btf_map(name = "events_v1")]
static EVENTS: RingBuf<Decided, EVENTS_SIZE> = RingBuf::new();

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
    fn filter(&self, slot: Slot, index: u32) -> Option<u64> {
        let table = element::<c_void>(map(&FILTER), u32::from(slot.get()))?;
        // SAFETY: as for frontends.
        element::<u64>(table, index).map(|word| unsafe { *word })
    }

    #[inline(always)]
    fn meta(&self, slot: Slot) -> Option<&Meta> {
        let table = element::<c_void>(map(&META), u32::from(slot.get()))?;
        // SAFETY: as for frontends; the record stands at the beginning of the value.
        element(table, 0).map(|value| unsafe { &*value })
    }

    #[inline(always)]
    fn is_member(&self, slot: Slot, key: MemberKey) -> bool {
        let table = element::<c_void>(map(&MEMBERS), u32::from(slot.get()));
        table.is_some_and(|table| with_words(*key.words(), |key| look_up::<u64>(table, key)).is_some())
    }

    #[inline(always)]
    fn ancestor(&self, level: u64) -> u64 {
        // SAFETY: the helper takes a number.
        unsafe { bpf_get_current_ancestor_cgroup_id(level as i32) }
    }

    #[inline(always)]
    fn netns(&self) -> u64 {
        // SAFETY: the helper takes the context of the run.
        unsafe { bpf_get_netns_cookie(self.as_ptr()) }
    }

    #[inline(always)]
    fn initial_netns(&self) -> u64 {
        // SAFETY: without a context the helper speaks of the initial namespace.
        unsafe { bpf_get_netns_cookie(null_mut()) }
    }

    #[inline(always)]
    fn is_connected(&self) -> bool {
        self.is_established()
    }

    #[inline(always)]
    fn datagrams(&self) -> Option<&Datagrams> {
        // SAFETY: storage that a helper gives out lives until the run ends.
        self.storage(map(&DATAGRAMS), 0).map(|place| unsafe { &*place })
    }

    #[inline(always)]
    fn make_datagrams(&self) -> Option<&Datagrams> {
        // SAFETY: as above; a new storage is zeroed, which is a record of nothing sent.
        self.storage(map(&DATAGRAMS), u64::from(BPF_SK_STORAGE_GET_F_CREATE)).map(|place| unsafe { &*place })
    }

    #[inline(always)]
    fn decided(&self, key: FrontendKey, fate: Fate, is_audit: bool, backend: Backend) {
        count(key, fate);
        // SAFETY: the second element lives as long as the map.
        let switches = element::<u64>(map(&CELL), 1).map(|word| unsafe { read_volatile(word) });
        if switches.is_some_and(|word| Switches::from_word(word).is_monitored()) {
            tell(key, fate, is_audit, backend);
        }
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
        self.storage(map(&PEERS), 0).map(|peer| unsafe { &*peer })
    }

    #[inline(always)]
    fn remember(&self, peer: Peer) -> bool {
        let Some(place) = self.storage::<u64>(map(&PEERS), u64::from(BPF_SK_STORAGE_GET_F_CREATE)) else {
            return false;
        };
        // SAFETY: `place` is this socket's storage of one `Peer`.
        unsafe { store_words(place, *peer.words()) };
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
    fn storage<V>(&self, storages: *mut c_void, flags: u64) -> Option<*mut V> {
        // SAFETY: the map is a socket storage, the socket is the context's, and no value is passed.
        let place = unsafe { bpf_sk_storage_get(storages, self.socket(), null_mut(), flags) };
        if place.is_null() { None } else { Some(place.cast()) }
    }
}

/// Adds one to what is counted of a frontend.
#[inline(always)]
fn count(key: FrontendKey, fate: Fate) {
    const { assert!(CountPlace::WAYS == 2, "each place of a set is asked below") };
    let first = CountPlace::first(&key);
    let is_counted = count_at(first, key, fate) || count_at(first.wrapping_add(1), key, fate);
    if !is_counted {
        count_rest(Fate::Dropped);
    }
}

/// Counts at a place, if it is the frontend's or free.
#[inline(always)]
fn count_at(index: u32, key: FrontendKey, fate: Fate) -> bool {
    let Some(place) = element::<u64>(map(&COUNTERS), index) else { return false };
    let [high, low, port] = *key.words();
    // SAFETY: the place has eight words, and lives until the run ends.
    let (at_high, at_low, at_port) = unsafe { (place, place.add(1), place.add(2)) };
    // SAFETY: as above.
    match unsafe { (read_volatile(at_high), read_volatile(at_low), read_volatile(at_port)) } {
        found if found == (high, low, port) => {}
        (0, 0, 0) => {
            // SAFETY: as above, and nobody on another CPU has this place.
            unsafe {
                write_volatile(at_high, high);
                write_volatile(at_low, low);
                write_volatile(at_port, port);
            }
        }
        _ => return false,
    }
    add_one(place, fate);
    true
}

/// Counts what no place of a frontend can: see [`CountPlace::REST`].
#[inline(always)]
fn count_rest(what: Fate) {
    if let Some(place) = element::<u64>(map(&COUNTERS), CountPlace::REST) {
        add_one(place, what);
    }
}

/// Adds one to a place's word of a fate.
#[inline(always)]
fn add_one(place: *mut u64, fate: Fate) {
    // Another run may interrupt this one on its CPU, so the sum is made in one step. The offset stands in the
    // text, since the verifier takes none from a register.
    macro_rules! add_one_at {
        ($offset:literal) => {
            // SAFETY: the place has a word for each fate, and lives until the run ends.
            unsafe { asm!(concat!("lock *(u64 *)({0} + ", $offset, ") += {1}"), in(reg) place, in(reg) 1_u64) }
        };
    }
    match fate {
        Fate::Redirected => add_one_at!(24),
        Fate::Dropped => add_one_at!(32),
        Fate::Own => add_one_at!(40),
        Fate::NoClient => add_one_at!(48),
    }
}

/// Tells a decision to who looks. Where the ring is full it is lost, and counted as that.
#[inline(always)]
fn tell(key: FrontendKey, fate: Fate, is_audit: bool, backend: Backend) {
    // SAFETY: the helpers take nothing.
    let (at, task, cgroup) =
        unsafe { (bpf_ktime_get_boot_ns(), bpf_get_current_pid_tgid(), bpf_get_current_cgroup_id()) };
    let decided = Decided::new(at, key, backend, fate, is_audit, task, cgroup);
    let told = with_words(*decided.words(), |words| {
        // SAFETY: the words are the record.
        unsafe { bpf_ringbuf_output(map(&EVENTS), words.cast(), Decided::SIZE as u64, 0) }
    });
    if told != 0 {
        count_rest(Fate::Redirected);
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
