//! A kernel made of plain collections, which counts how often its cell is read.

extern crate std;

use core::cell::{Cell as Shared, OnceCell};
use std::collections::BTreeMap;
use std::vec::Vec;

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::{Backend, Cell, FrontendKey, FrontendValue, Generation, Peer, Slot};

use crate::connect::{Verdict, connect};
use crate::getpeername::getpeername;
use crate::kernel::{Destination, Kernel};

/// The slot that [`Fake::new`] makes active.
pub(crate) const SLOT: Slot = Slot::new(2);

pub(crate) struct Fake {
    pub(crate) active: Cell,
    pub(crate) frontends: BTreeMap<(Slot, FrontendKey), FrontendValue>,
    pub(crate) backends: BTreeMap<(Slot, u32), Backend>,
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
        self.frontends.insert((SLOT, key(frontend, protocol)), value);
        self
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
    let address: core::net::SocketAddrV4 = text.parse().unwrap();
    Destination {
        ip4: u32::from_ne_bytes(address.ip().octets()),
        port: u16::from_ne_bytes(address.port().to_be_bytes()).into(),
    }
}
