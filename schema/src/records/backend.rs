//! The backend table: where a redirected connection goes.

use core::net::IpAddr;

use super::address::{
    address_of_words, address_words, ip4_of_words, mapped_words, port_of_word, port_word, user_port_of_word,
};

/// Element of the backend table: {address 16, port 2, zero 6}, network byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    pub(super) words: [u64; 3],
}
words!(Backend, 3);

impl Backend {
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

    /// The address as an IPv4 socket hook wants it, `None` for an address that such a socket cannot reach.
    #[inline(always)]
    pub const fn user_ip4(&self) -> Option<u32> {
        let [high, low] = [self.words[0], self.words[1]];
        let ip4 = ip4_of_words([high, low]);
        let [_, mapped] = mapped_words(ip4);
        if high == 0 && low == mapped { Some(ip4) } else { None }
    }

    /// The port as a socket hook wants it.
    #[inline(always)]
    pub const fn user_port(&self) -> u32 {
        user_port_of_word(self.words[2])
    }
}
