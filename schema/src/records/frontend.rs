//! The frontend table: where a connection wants to go, and what happens to it.

use core::net::IpAddr;

use super::Backend;
use super::address::{
    address_of_words, address_words, ip4_of_words, mapped_words, port_of_word, port_protocol_word,
    protocol_of_word, user_port_of_word, user_port_protocol_word,
};
use crate::protocol::Protocol;

/// Key of the frontend table: {address 16, port 2, protocol 1, zero 5}, network byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrontendKey {
    pub(super) words: [u64; 3],
}
words!(FrontendKey, 3);

impl FrontendKey {
    /// The key of a frontend.
    pub const fn new(address: IpAddr, port: u16, protocol: Protocol) -> Self {
        let [high, low] = address_words(address);
        Self { words: [high, low, port_protocol_word(port, protocol)] }
    }

    /// The key of where a socket connects to, as its hook sees that: address and the low 16 bits of the port
    /// in network byte order.
    #[inline(always)]
    pub const fn of_socket(user_ip4: u32, user_port: u32, protocol: Protocol) -> Self {
        let [high, low] = mapped_words(user_ip4);
        Self { words: [high, low, user_port_protocol_word(user_port, protocol)] }
    }

    /// The frontend's address.
    pub const fn address(&self) -> IpAddr {
        address_of_words([self.words[0], self.words[1]])
    }

    /// The frontend's port.
    pub const fn port(&self) -> u16 {
        port_of_word(self.words[2])
    }

    /// The frontend's protocol; `None` in a key that no loader writes.
    pub const fn protocol(&self) -> Option<Protocol> {
        Protocol::from_number(protocol_of_word(self.words[2]))
    }

    /// The address as an IPv4 socket hook wants it; only meant for an IPv4 frontend.
    #[inline(always)]
    pub const fn user_ip4(&self) -> u32 {
        ip4_of_words([self.words[0], self.words[1]])
    }

    /// The port as a socket hook wants it.
    #[inline(always)]
    pub const fn user_port(&self) -> u32 {
        user_port_of_word(self.words[2])
    }
}

/// What happens to a connection to a frontend (L5).
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The connection goes to one of the backends.
    Redirect = 1,
    /// The connection is refused with EPERM (`lrpc.dev/fallback: drop`).
    Drop = 2,
}

/// Value of the frontend table: {action, backend count}, {index of the first backend}, and the first
/// backend itself, so that a frontend with one backend (the usual case: one agent per node) is served by
/// one look-up.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontendValue {
    words: [u64; 5],
}
words!(FrontendValue, 5);

impl FrontendValue {
    /// A frontend whose connections go to `count` backends from index `first` on; `backend` is the first of
    /// them. `count` is at least 1.
    pub const fn redirect(count: u32, first: u32, backend: Backend) -> Self {
        let [high, low, port] = backend.words;
        Self { words: [Action::Redirect as u64 | (count as u64) << 32, first as u64, high, low, port] }
    }

    /// A frontend whose connections are refused.
    pub const fn drop() -> Self {
        Self { words: [Action::Drop as u64, 0, 0, 0, 0] }
    }

    /// What to do; `None` for a value that no loader of this version writes.
    #[inline(always)]
    pub const fn action(&self) -> Option<Action> {
        match self.words[0] & 0xff {
            1 => Some(Action::Redirect),
            2 => Some(Action::Drop),
            _ => None,
        }
    }

    /// Number of backends.
    #[inline(always)]
    pub const fn count(&self) -> u32 {
        (self.words[0] >> 32) as u32
    }

    /// Index of the first backend in the backend table.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the word was made from a u32")]
    pub const fn first(&self) -> u32 {
        self.words[1] as u32
    }

    /// The first backend; zeros in a [`Action::Drop`] value.
    #[inline(always)]
    pub const fn backend(&self) -> Backend {
        Backend { words: [self.words[2], self.words[3], self.words[4]] }
    }
}
