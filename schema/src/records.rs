//! The records in the BPF maps, shared by the kernel programs and the loader.
//!
//! Every record is a row of 64-bit words without padding, because the kernel programs must load with
//! CAP_BPF and CAP_NET_ADMIN alone: the verifier then wants every stack buffer that a helper reads to be
//! written whole, in 8-byte slots. Addresses and ports inside a word are in network byte order; counts and
//! indices are in the byte order of the machine, which wrote them and reads them.
//!
//! IPv4 addresses are kept in their IPv4-mapped IPv6 form, so one table serves both families (L16: an
//! address in that form is never a frontend of its own, so the two cannot collide).
//!
//! INVARIANT: any change of a size, an offset or a meaning below changes [`ABI_VERSION`], which names the
//! pin directory; [`PEER_VERSION`] does the same for the one record that outlives every generation.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Version of the tables: the records below except [`Peer`], and the set of tables itself.
pub const ABI_VERSION: u32 = 1;

/// Version of [`Peer`], which sockets carry across every swap and every upgrade (L11).
pub const PEER_VERSION: u32 = 1;

/// The tables of one generation, in the order in which they are written. Each has an outer
/// `ARRAY_OF_MAPS` of this name, whose slots hold one inner map per resident generation.
pub const TABLES: [&str; 3] = [FRONTENDS, BACKENDS, META];
/// Hash: [`FrontendKey`] to [`FrontendValue`].
pub const FRONTENDS: &str = "frontends";
/// Array: index to [`Backend`]; a frontend with several backends owns a run of it.
pub const BACKENDS: &str = "backends";
/// Array of one: [`Meta`] for the programs, followed by the loader's own record up to [`META_SIZE`].
pub const META: &str = "meta";
/// Name of the array map whose only element is the [`Cell`].
pub const CELL: &str = "cell";
/// Name of the socket storage that holds a [`Peer`] per redirected socket.
pub const PEERS: &str = "peers_v1";

/// Size in bytes of the one value of the `meta` table: [`Meta`], then the loader's record, zero-filled.
pub const META_SIZE: usize = 8192;

/// The protocol number of TCP in a key.
pub const TCP: u8 = 6;
/// The protocol number of UDP in a key.
pub const UDP: u8 = 17;

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

/// The four bytes of an IPv4 address, as a socket hook wants them, out of the second address word; what
/// they mean is only defined for an IPv4-mapped address.
#[inline(always)]
pub const fn ip4_of_words(words: [u64; 2]) -> u32 {
    let [.., a, b, c, d] = words[1].to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
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

/// Port (network byte order), protocol and five zero bytes as one word.
#[inline(always)]
const fn port_protocol_word(port: u16, protocol: u8) -> u64 {
    let [hi, lo] = port.to_be_bytes();
    u64::from_ne_bytes([hi, lo, protocol, 0, 0, 0, 0, 0])
}

/// The same word from a port as a socket hook sees it: the low 16 bits in network byte order.
#[inline(always)]
pub const fn user_port_protocol_word(user_port: u32, protocol: u8) -> u64 {
    if cfg!(target_endian = "little") {
        (user_port & 0xffff) as u64 | (protocol as u64) << 16
    } else {
        ((user_port & 0xffff) as u64) << 48 | (protocol as u64) << 40
    }
}

#[inline(always)]
const fn port_of_word(word: u64) -> u16 {
    let [hi, lo, ..] = word.to_ne_bytes();
    u16::from_be_bytes([hi, lo])
}

#[inline(always)]
const fn user_port_of_word(word: u64) -> u32 {
    let [hi, lo, ..] = word.to_ne_bytes();
    u16::from_ne_bytes([hi, lo]) as u32
}

#[inline(always)]
const fn protocol_of_word(word: u64) -> u8 {
    word.to_ne_bytes()[2]
}

macro_rules! words {
    ($record:ident, $count:literal) => {
        impl $record {
            /// Size of the record in bytes.
            pub const SIZE: usize = $count * 8;

            /// The record as the map holds it.
            pub fn to_bytes(&self) -> [u8; $count * 8] {
                let mut bytes = [0; $count * 8];
                for (place, word) in bytes.chunks_exact_mut(8).zip(self.words) {
                    place.copy_from_slice(&word.to_ne_bytes());
                }
                bytes
            }

            /// The record out of the bytes of a map.
            pub fn from_bytes(bytes: &[u8; $count * 8]) -> Self {
                let mut words = [0; $count];
                for (word, place) in words.iter_mut().zip(bytes.chunks_exact(8)) {
                    let mut whole = [0; 8];
                    whole.copy_from_slice(place);
                    *word = u64::from_ne_bytes(whole);
                }
                Self { words }
            }

            /// The record's words, in the order of the map.
            #[inline(always)]
            pub const fn words(&self) -> &[u64; $count] {
                &self.words
            }
        }
        const _: () = assert!(size_of::<$record>() == $count * 8 && align_of::<$record>() == 8);
    };
}

/// Key of the frontend table: {address 16, port 2, protocol 1, zero 5}, network byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrontendKey {
    words: [u64; 3],
}
words!(FrontendKey, 3);

impl FrontendKey {
    /// The key of a frontend; `protocol` is [`TCP`] or [`UDP`].
    pub const fn new(address: IpAddr, port: u16, protocol: u8) -> Self {
        let [high, low] = address_words(address);
        Self { words: [high, low, port_protocol_word(port, protocol)] }
    }

    /// The key of where a socket connects to, as its hook sees that: address and the low 16 bits of the port
    /// in network byte order.
    #[inline(always)]
    pub const fn of_socket(user_ip4: u32, user_port: u32, protocol: u8) -> Self {
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

    /// The frontend's protocol number.
    pub const fn protocol(&self) -> u8 {
        protocol_of_word(self.words[2])
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

/// Element of the backend table: {address 16, port 2, zero 6}, network byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    words: [u64; 3],
}
words!(Backend, 3);

impl Backend {
    /// A backend at an address and port.
    pub const fn new(address: IpAddr, port: u16) -> Self {
        let [high, low] = address_words(address);
        Self { words: [high, low, port_protocol_word(port, 0)] }
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

/// What a redirected socket remembers, so that getpeername says the frontend for as long as the socket
/// lives (L11): {frontend address 16, port 2, protocol 1, zero 5}, {backend address 16, port 2, zero 6}.
/// It names no generation and no index of one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    words: [u64; 6],
}
words!(Peer, 6);

impl Peer {
    /// What a socket that wanted `frontend` and got `backend` remembers.
    #[inline(always)]
    pub const fn new(frontend: FrontendKey, backend: Backend) -> Self {
        let ([a, b, c], [d, e, f]) = (frontend.words, backend.words);
        Self { words: [a, b, c, d, e, f] }
    }

    /// What the program connected to.
    #[inline(always)]
    pub const fn frontend(&self) -> FrontendKey {
        FrontendKey { words: [self.words[0], self.words[1], self.words[2]] }
    }

    /// What the socket was connected to instead.
    #[inline(always)]
    pub const fn backend(&self) -> Backend {
        Backend { words: [self.words[3], self.words[4], self.words[5]] }
    }
}

/// The part of the `meta` table that programs read. The rest of the value, up to [`META_SIZE`], is the
/// loader's own.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    words: [u64; 8],
}
words!(Meta, 8);

impl Meta {
    /// A generation without an audit flag, without a lease, and with pods at the cgroup levels of the mask
    /// (bit n: pods sit n levels below the cgroup2 root).
    pub const fn new(pod_levels: u64) -> Self {
        Self { words: [pod_levels, 0, 0, 0, 0, 0, 0, 0] }
    }

    /// Bit n is set where pods sit n levels below the cgroup2 root.
    pub const fn pod_levels(&self) -> u64 {
        self.words[0]
    }
}

/// The one word that says which generation is active: {generation 48 bits, slot 16 bits}. Zero means that
/// nothing is loaded, since generations count from 1. Every program run reads it exactly once.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell(u64);

impl Cell {
    /// Nothing is active.
    pub const EMPTY: Self = Self(0);

    /// The cell for a generation (from 1, below 2^48) in a slot.
    #[inline(always)]
    pub const fn new(generation: u64, slot: u16) -> Self {
        Self(generation << 16 | slot as u64)
    }

    /// The cell out of its word.
    #[inline(always)]
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// The word that the map holds.
    #[inline(always)]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// Number of the active generation, `None` where nothing is active.
    #[inline(always)]
    pub const fn generation(self) -> Option<u64> {
        match self.0 >> 16 {
            0 => None,
            generation => Some(generation),
        }
    }

    /// The slot of every outer map that holds the active generation; only meant where
    /// [`generation`](Self::generation) is some.
    #[inline(always)]
    pub const fn slot(self) -> u16 {
        (self.0 & 0xffff) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn keys_are_in_network_byte_order() {
        let key = FrontendKey::new(ip("169.254.169.254"), 8080, TCP);
        let mut expected = [0; 24];
        expected[10..12].fill(0xff);
        expected[12..16].copy_from_slice(&[169, 254, 169, 254]);
        expected[16..19].copy_from_slice(&[0x1f, 0x90, 6]);
        assert_eq!(key.to_bytes(), expected);
        assert_eq!(FrontendKey::from_bytes(&expected), key);
        assert_eq!((key.address(), key.port(), key.protocol()), (ip("169.254.169.254"), 8080, TCP));
    }

    #[test]
    fn a_hook_makes_the_key_that_the_loader_makes() {
        let user_ip4 = u32::from_ne_bytes([10, 96, 0, 10]);
        let user_port = u32::from(u16::from_ne_bytes(53_u16.to_be_bytes()));
        let key = FrontendKey::new(ip("10.96.0.10"), 53, UDP);
        let [high, low] = mapped_words(user_ip4);
        assert_eq!(*key.words(), [high, low, user_port_protocol_word(user_port, UDP)]);
        assert_eq!(FrontendKey::of_socket(user_ip4, user_port, UDP), key);
        assert_eq!((key.user_ip4(), key.user_port()), (user_ip4, user_port));
        assert_eq!(ip4_of_words([high, low]), user_ip4);
        assert_eq!(Backend::new(ip("10.96.0.10"), 53).user_port(), user_port);
    }

    #[test]
    fn an_ipv4_socket_reaches_ipv4_backends_only() {
        let user_ip4 = u32::from_ne_bytes([10, 244, 1, 7]);
        assert_eq!(Backend::new(ip("10.244.1.7"), 80).user_ip4(), Some(user_ip4));
        assert_eq!(Backend::new(ip("fd00::1"), 80).user_ip4(), None);
        assert_eq!(Backend::new(ip("::10.244.1.7"), 80).user_ip4(), None);
        assert_eq!(Backend::new(ip("1::ffff:10.244.1.7"), 80).user_ip4(), None);
    }

    #[test]
    fn a_peer_gives_back_both_ends() {
        let frontend = FrontendKey::new(ip("169.254.169.254"), 8080, TCP);
        let backend = Backend::new(ip("10.244.1.7"), 80);
        let peer = Peer::new(frontend, backend);
        assert_eq!((peer.frontend(), peer.backend()), (frontend, backend));
    }

    #[test]
    fn values_give_back_what_they_were_made_of() {
        let backend = Backend::new(ip("fd00::1"), 80);
        let value = FrontendValue::redirect(3, 7, backend);
        assert_eq!(FrontendValue::from_bytes(&value.to_bytes()), value);
        assert_eq!((value.action(), value.count(), value.first()), (Some(Action::Redirect), 3, 7));
        assert_eq!((value.backend().address(), value.backend().port()), (ip("fd00::1"), 80));
        assert_eq!(FrontendValue::drop().action(), Some(Action::Drop));
    }

    #[test]
    fn an_empty_cell_names_no_generation() {
        assert_eq!(Cell::EMPTY.generation(), None);
        let cell = Cell::new(7, 2);
        assert_eq!((cell.generation(), cell.slot()), (Some(7), 2));
        assert_eq!(Cell::from_word(cell.word()), cell);
    }
}
