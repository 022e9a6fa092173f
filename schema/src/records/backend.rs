//! The backend table: where a redirected connection goes.

use core::net::IpAddr;

use super::address::{
    address_of_words, address_words, port_of_word, port_word, user_port_of_word, user_port_word,
};

/// Element of the backend table: {address 16, port 2, zero 6}, network byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    pub(super) words: [u64; 3],
}
words!(Backend, 3);

impl Backend {
    /// No backend: where a record has a place for one and there is none.
    pub const NONE: Self = Self { words: [0; 3] };

    /// A backend at an address and port.
    pub const fn new(address: IpAddr, port: u16) -> Self {
        let [high, low] = address_words(address);
        Self { words: [high, low, port_word(port)] }
    }

    /// The backend's address.
    pub const fn address(&self) -> IpAddr {
        address_of_words([self.words[0], self.words[1]])
    }

    /// The backend's port.
    pub const fn port(&self) -> u16 {
        port_of_word(self.words[2])
    }

    /// The backend that a socket hook sees: the address as two words in network byte order, IPv4 in its mapped
    /// form, and the low 16 bits of the port in network byte order.
    #[inline(always)]
    pub const fn of_socket([high, low]: [u64; 2], user_port: u32) -> Self {
        Self { words: [high, low, user_port_word(user_port)] }
    }

    /// The address as two words in network byte order, IPv4 in its mapped form.
    #[inline(always)]
    pub const fn address_words(&self) -> [u64; 2] {
        [self.words[0], self.words[1]]
    }

    /// The port as a socket hook wants it.
    #[inline(always)]
    pub const fn user_port(&self) -> u32 {
        user_port_of_word(self.words[2])
    }
}
