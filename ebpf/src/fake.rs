//! A kernel made of plain collections, which counts how often its cell is read.

extern crate std;

use core::cell::{Cell as Shared, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::vec;
use std::vec::Vec;

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::filter::Mark;
use lrpc_schema::records::{
    Backend, Cell, Datagrams, Fate, FrontendKey, FrontendValue, Generation, Levels, MemberKey, Meta, Peer,
    SetId, Slot,
};

use crate::connect::{Verdict, connect};
use crate::getpeername::getpeername;
use crate::kernel::{Destination, Kernel};
use crate::recvmsg::recvmsg;
use crate::sendmsg::sendmsg;

/// The slot that [`Fake::new`] makes active.
pub(crate) const SLOT: Slot = Slot::new(2);

pub(crate) struct Fake {
    pub(crate) active: Cell,
    pub(crate) frontends: BTreeMap<(Slot, FrontendKey), FrontendValue>,
    pub(crate) backends: BTreeMap<(Slot, u32), Backend>,
    pub(crate) filters: BTreeMap<Slot, Vec<u64>>,
    pub(crate) metas: BTreeMap<Slot, Meta>,
    members: BTreeSet<(Slot, MemberKey)>,
    levels: (Levels, Levels),
    /// The numbers of the task's cgroup and of those above it, from the root.
    pub(crate) ancestors: [u64; 4],
    pub(crate) netns: u64,
    pub(crate) initial_netns: u64,
    pub(crate) is_connected: bool,
    datagrams: OnceCell<Datagrams>,
    pub(crate) fates: RefCell<Vec<Fate>>,
    pub(crate) random: u32,
    pub(crate) cookie: u64,
    pub(crate) memory_left: bool,
    pub(crate) cell_reads: Shared<u32>,
    /// What the socket remembered before this run, and what it remembers after it.
    before: Option<Peer>,
    after: OnceCell<Option<Peer>>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self {
            active: Cell::new(Generation::FIRST, SLOT),
            frontends: BTreeMap::new(),
            backends: BTreeMap::new(),
            filters: BTreeMap::new(),
            metas: BTreeMap::new(),
            members: BTreeSet::new(),
            levels: (Levels::default(), Levels::default()),
            ancestors: [1, 0, 0, 0],
            netns: 1,
            initial_netns: 1,
            is_connected: false,
            datagrams: OnceCell::new(),
            fates: RefCell::default(),
            random: 0,
            cookie: 0,
            memory_left: true,
            cell_reads: Shared::new(0),
            before: None,
            after: OnceCell::new(),
        }
    }

    /// Adds an entry to the active generation.
    pub(crate) fn with(mut self, frontend: &str, protocol: Protocol, value: FrontendValue) -> Self {
        self.put(SLOT, key(frontend, protocol), value);
        self
    }

    /// Adds an entry to the generation of a slot.
    pub(crate) fn put(&mut self, slot: Slot, key: FrontendKey, value: FrontendValue) {
        self.frontends.insert((slot, key), value);
        let filter = self.filters.entry(slot).or_insert_with(|| vec![2, 0, 0]);
        let mark = Mark::of(&key);
        filter[mark.index(2) as usize] |= mark.bits();
    }

    /// Says at which levels pods and kubelet's trees are.
    pub(crate) fn with_levels(&mut self, pods: &[usize], trees: &[usize]) {
        let levels = |numbers: &[usize]| {
            numbers.iter().fold(Levels::default(), |levels, number| levels.with(*number).unwrap())
        };
        self.levels = (levels(pods), levels(trees));
        self.with_node_netns(0);
    }

    /// Says in which network namespace the node is.
    pub(crate) fn with_node_netns(&mut self, cookie: u64) {
        self.metas.insert(SLOT, Meta::new(self.levels.0, self.levels.1, cookie));
    }

    /// Puts a cgroup into a set.
    pub(crate) fn with_member(&mut self, set: SetId, cgroup: u64) {
        self.members.insert((SLOT, MemberKey::new(cgroup, set)));
    }

    /// Fills the backend table of the active generation, from index 0.
    pub(crate) fn with_backends(mut self, backends: &[&str]) -> Self {
        let numbered: Vec<_> = (0..).zip(backends.iter().map(|text| backend(text))).collect();
        self.backends.extend(numbered.into_iter().map(|(index, backend)| ((SLOT, index), backend)));
        self
    }

    /// Lets the socket remember something from before.
    pub(crate) fn remembering(mut self, frontend: &str, to: &str) -> Self {
        self.before = Some(Peer::new(key(frontend, Protocol::Tcp), backend(to)));
        self
    }

    /// Runs the decision about one connect.
    pub(crate) fn connect(&self, protocol: Protocol, to: &str) -> Verdict {
        connect(self, protocol, destination(to))
    }

    /// Runs the decision about one datagram.
    pub(crate) fn sendmsg(&self, to: &str) -> Verdict {
        sendmsg(self, destination(to))
    }

    /// Runs the decision about one answer.
    pub(crate) fn recvmsg(&self, from: &str) -> Option<Destination> {
        recvmsg(self, destination(from))
    }

    /// Runs the decision about one getpeername.
    pub(crate) fn getpeername(&self, peer: &str) -> Option<Destination> {
        getpeername(self, destination(peer))
    }

    /// What the socket remembers after the run.
    pub(crate) fn memory(&self) -> Option<Peer> {
        *self.after.get().unwrap_or(&self.before)
    }
}

impl Kernel for Fake {
    fn cell(&self) -> Cell {
        self.cell_reads.set(self.cell_reads.get().wrapping_add(1));
        self.active
    }

    fn filter(&self, slot: Slot, index: u32) -> Option<u64> {
        self.filters.get(&slot)?.get(index as usize).copied()
    }

    fn meta(&self, slot: Slot) -> Option<&Meta> {
        self.metas.get(&slot)
    }

    fn is_member(&self, slot: Slot, key: MemberKey) -> bool {
        self.members.contains(&(slot, key))
    }

    fn ancestor(&self, level: u64) -> u64 {
        self.ancestors.get(level as usize).copied().unwrap_or_default()
    }

    fn netns(&self) -> u64 {
        self.netns
    }

    fn initial_netns(&self) -> u64 {
        self.initial_netns
    }

    fn is_connected(&self) -> bool {
        self.is_connected
    }

    fn datagrams(&self) -> Option<&Datagrams> {
        self.datagrams.get()
    }

    fn make_datagrams(&self) -> Option<&Datagrams> {
        self.memory_left.then(|| self.datagrams.get_or_init(Datagrams::new))
    }

    fn decided(&self, _: FrontendKey, fate: Fate, _: bool, _: Backend) {
        self.fates.borrow_mut().push(fate);
    }

    fn frontend(&self, slot: Slot, key: FrontendKey) -> Option<&FrontendValue> {
        self.frontends.get(&(slot, key))
    }

    fn backend(&self, slot: Slot, index: u32) -> Option<&Backend> {
        self.backends.get(&(slot, index))
    }

    fn random(&self) -> u32 {
        self.random
    }

    fn cookie(&self) -> u64 {
        self.cookie
    }

    fn recall(&self) -> Option<&Peer> {
        self.after.get().unwrap_or(&self.before).as_ref()
    }

    fn remember(&self, peer: Peer) -> bool {
        if self.memory_left {
            self.after.set(Some(peer)).expect("one run changes the memory once");
        }
        self.memory_left
    }

    fn forget(&self) {
        self.after.set(None).expect("one run changes the memory once");
    }
}

/// A frontend out of `ADDRESS:PORT`.
pub(crate) fn key(text: &str, protocol: Protocol) -> FrontendKey {
    let address: core::net::SocketAddr = text.parse().unwrap();
    FrontendKey::new(address.ip(), address.port(), protocol)
}

/// A backend out of `ADDRESS:PORT`.
pub(crate) fn backend(text: &str) -> Backend {
    let address: core::net::SocketAddr = text.parse().unwrap();
    Backend::new(address.ip(), address.port())
}

/// `ADDRESS:PORT` as a hook's context has it.
pub(crate) fn destination(text: &str) -> Destination {
    Destination::of_backend(&backend(text))
}
