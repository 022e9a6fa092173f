//! Addresses and ports as words.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::protocol::Protocol;

/// An address as two words in network byte order, IPv4 in its IPv4-mapped form.
#[inline(always)]
pub const fn address_words(address: IpAddr) -> [u64; 2] {
    let octets = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    };
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = octets;
    [u64::from_ne_bytes([a, b, c, d, e, f, g, h]), u64::from_ne_bytes([i, j, k, l, m, n, o, p])]
}

/// [`address_words`] of an IPv4 address as a socket hook sees it: four bytes in network byte order.
#[inline(always)]
pub const fn mapped_words(user_ip4: u32) -> [u64; 2] {
    if cfg!(target_endian = "little") {
        [0, (user_ip4 as u64) << 32 | 0xffff_0000]
    } else {
        [0, user_ip4 as u64 | 0xffff_0000_0000]
    }
}

/// The four bytes of an IPv4 address, as a socket hook wants them; `None` for an IPv6 address, which an IPv4 socket
/// cannot reach.
#[inline(always)]
pub const fn ip4_of_words([high, low]: [u64; 2]) -> Option<u32> {
    let [.., a, b, c, d] = low.to_ne_bytes();
    let ip4 = u32::from_ne_bytes([a, b, c, d]);
    let [_, mapped] = mapped_words(ip4);
    if high == 0 && low == mapped { Some(ip4) } else { None }
}

/// The address that two words stand for, IPv4 out of its IPv4-mapped form.
pub const fn address_of_words(words: [u64; 2]) -> IpAddr {
    let [a, b, c, d, e, f, g, h] = words[0].to_ne_bytes();
    let [i, j, k, l, m, n, o, p] = words[1].to_ne_bytes();
    let v6 = Ipv6Addr::from_octets([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]);
    match v6.to_ipv4_mapped() {
        Some(v4) => IpAddr::V4(Ipv4Addr::from_octets(v4.octets())),
        None => IpAddr::V6(v6),
    }
}

/// Port (network byte order) and six zero bytes as one word.
#[inline(always)]
pub(super) const fn port_word(port: u16) -> u64 {
    let [hi, lo] = port.to_be_bytes();
    u64::from_ne_bytes([hi, lo, 0, 0, 0, 0, 0, 0])
}

/// Port (network byte order), protocol and five zero bytes as one word.
#[inline(always)]
pub(super) const fn port_protocol_word(port: u16, protocol: Protocol) -> u64 {
    let [hi, lo] = port.to_be_bytes();
    u64::from_ne_bytes([hi, lo, protocol.number(), 0, 0, 0, 0, 0])
}

/// The same word from a port as a socket hook sees it: the low 16 bits in network byte order.
#[inline(always)]
pub const fn user_port_protocol_word(user_port: u32, protocol: Protocol) -> u64 {
    let protocol = protocol.number();
    if cfg!(target_endian = "little") {
        (user_port & 0xffff) as u64 | (protocol as u64) << 16
    } else {
        ((user_port & 0xffff) as u64) << 48 | (protocol as u64) << 40
    }
}

/// [`port_word`] of a port as a socket hook sees it: the low 16 bits in network byte order.
#[inline(always)]
pub(super) const fn user_port_word(user_port: u32) -> u64 {
    if cfg!(target_endian = "little") {
        (user_port & 0xffff) as u64
    } else {
        ((user_port & 0xffff) as u64) << 48
    }
}

#[inline(always)]
pub(super) const fn port_of_word(word: u64) -> u16 {
    let [hi, lo, ..] = word.to_ne_bytes();
    u16::from_be_bytes([hi, lo])
}

#[inline(always)]
pub(super) const fn user_port_of_word(word: u64) -> u32 {
    let [hi, lo, ..] = word.to_ne_bytes();
    u16::from_ne_bytes([hi, lo]) as u32
}

#[inline(always)]
pub(super) const fn protocol_of_word(word: u64) -> u8 {
    word.to_ne_bytes()[2]
}
