//! All that a decision may ask of the kernel. The programs answer with maps and helpers, the tests with a
//! script.
//!
//! INVARIANT: a program run asks for the [`Cell`] once and uses its slot for every table, so that one connect,
//! or one datagram, sees one generation.

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::{
    Backend, Cell, Datagrams, Fate, FrontendKey, FrontendValue, MemberKey, Meta, Peer, Slot,
};

/// The kernel as seen from one run of a program on behalf of one socket.
pub trait Kernel {
    /// Which generation is active.
    fn cell(&self) -> Cell;

    /// A word of the filter in the generation of a slot.
    fn filter(&self, slot: Slot, index: u32) -> Option<u64>;

    /// The entry of a frontend in the generation of a slot.
    fn frontend(&self, slot: Slot, key: FrontendKey) -> Option<&FrontendValue>;

    /// An element of the backend table in the generation of a slot.
    fn backend(&self, slot: Slot, index: u32) -> Option<&Backend>;

    /// What else the generation of a slot says.
    fn meta(&self, slot: Slot) -> Option<&Meta>;

    /// Whether a cgroup is in a set, in the generation of a slot.
    fn is_member(&self, slot: Slot, key: MemberKey) -> bool;

    /// The kernel's number of the task's cgroup, or of the one above it, at a level; 0 where the task's is not so
    /// deep.
    fn ancestor(&self, level: u64) -> u64;

    /// The cookie of the socket's network namespace.
    fn netns(&self) -> u64;

    /// The cookie of the kernel's initial network namespace.
    fn initial_netns(&self) -> u64;

    /// A number that is different on every call.
    fn random(&self) -> u32;

    /// The socket's own number, the same for as long as it lives.
    fn cookie(&self) -> u64;

    /// Whether the socket has a peer now.
    fn is_connected(&self) -> bool;

    /// What the socket remembers of its last redirected connect.
    fn recall(&self) -> Option<&Peer>;

    /// Makes the socket remember a connect, in place of what it did. False where there is no memory for it.
    #[must_use]
    fn remember(&self, peer: Peer) -> bool;

    /// Makes the socket remember no connect. Cheap where it does not.
    fn forget(&self);

    /// What the socket remembers of datagrams.
    fn datagrams(&self) -> Option<&Datagrams>;

    /// The same, made where it is missing; `None` where there is no memory for it.
    fn make_datagrams(&self) -> Option<&Datagrams>;

    /// Counts what became of a connect or datagram to a frontend, and tells it to who looks; the backend is
    /// [`Backend::NONE`] where there is none.
    fn decided(&self, key: FrontendKey, fate: Fate, is_audit: bool, backend: Backend);
}

/// An address and a port as hooks have them, for both families: the address as two words in network byte order,
/// IPv4 in its mapped form, and the port in network byte order in the low 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The address.
    pub address: [u64; 2],
    /// `user_port` of the hook's context.
    pub port: u32,
}

impl Destination {
    /// The frontend that it would be.
    #[inline(always)]
    pub const fn frontend(self, protocol: Protocol) -> FrontendKey {
        FrontendKey::of_socket(self.address, self.port, protocol)
    }

    /// The backend that it would be.
    #[inline(always)]
    pub const fn backend(self) -> Backend {
        Backend::of_socket(self.address, self.port)
    }

    /// Where a frontend is.
    #[inline(always)]
    pub const fn of_frontend(frontend: &FrontendKey) -> Self {
        Self { address: frontend.address_words(), port: frontend.user_port() }
    }

    /// Where a backend is.
    #[inline(always)]
    pub const fn of_backend(backend: &Backend) -> Self {
        Self { address: backend.address_words(), port: backend.user_port() }
    }
}
