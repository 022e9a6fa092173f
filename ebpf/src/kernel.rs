//! All that a decision may ask of the kernel. The programs answer with maps and helpers, the tests with a
//! script.
//!
//! INVARIANT: a program run asks for the [`Cell`] once and uses its slot for every table, so that one
//! connect sees one generation.

use lrpc_schema::records::{Backend, Cell, FrontendKey, FrontendValue, Peer, Slot};

/// The kernel as seen from one run of a program on behalf of one socket.
pub trait Kernel {
    /// Which generation is active.
    fn cell(&self) -> Cell;

    /// The entry of a frontend in the generation of a slot.
    fn frontend(&self, slot: Slot, key: FrontendKey) -> Option<&FrontendValue>;

    /// An element of the backend table in the generation of a slot.
    fn backend(&self, slot: Slot, index: u32) -> Option<&Backend>;

    /// A number that is different on every call.
    fn random(&self) -> u32;

    /// The socket's own number, the same for as long as it lives.
    fn cookie(&self) -> u64;

    /// What the socket remembers of its last redirect.
    fn recall(&self) -> Option<&Peer>;

    /// Makes the socket remember, in place of what it did. False where there is no memory for it.
    #[must_use]
    fn remember(&self, peer: Peer) -> bool;

    /// Makes the socket remember nothing. Cheap where it does not.
    fn forget(&self);
}

/// An IPv4 address and a port as socket hooks have them: in network byte order, the port in the low 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `user_ip4` of the hook's context.
    pub ip4: u32,
    /// `user_port` of the hook's context.
    pub port: u32,
}
