//! What an unconnected socket remembers of the datagrams that it sent.

use core::cell::Cell;

use super::{Backend, FrontendKey, Peer};

/// The last frontends that an unconnected UDP socket sent to, by the backend that each datagram got instead, so
/// that an answer bears the frontend's address (L11): {number of the next place}, then [`Datagrams::PLACES`] times
/// a [`Peer`] whose frontend port word has a checksum in its five zero bytes.
///
/// It belongs to one socket: no other socket's datagrams can push anything out of it, and it goes with the socket.
/// Beyond its places the oldest pair is forgotten, so that an answer that comes later than the answers of eight
/// other backends bears the backend's address.
///
/// Threads that share a socket may write at one time. Words are written whole, and a pair that two threads wrote
/// into one place fails its checksum: an answer may bear its backend's address then, never another frontend's.
#[repr(C)]
#[derive(Debug)]
pub struct Datagrams {
    next: Cell<u64>,
    places: [[Cell<u64>; 6]; Self::PLACES],
}

const _: () = assert!(size_of::<Datagrams>() == Datagrams::SIZE && align_of::<Datagrams>() == 8);

impl Datagrams {
    /// How many backends of one socket are remembered. musl's resolver asks three servers at once.
    pub const PLACES: usize = 8;

    /// Size of the record in bytes.
    pub const SIZE: usize = 8 + Self::PLACES * Peer::SIZE;

    /// Nothing sent.
    pub const fn new() -> Self {
        Self { next: Cell::new(0), places: [const { [const { Cell::new(0) }; 6] }; Self::PLACES] }
    }

    /// Remembers a datagram, in place of an earlier one to the same backend.
    #[inline(always)]
    pub fn remember(&self, peer: &Peer) {
        let backend = peer.backend();
        let place = match self.place(&backend) {
            Some(place) => place,
            None => {
                let next = self.next.get();
                self.next.set(next.wrapping_add(1));
                #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are wanted")]
                match self.places.get(next as usize & (Self::PLACES - 1)) {
                    Some(place) => place,
                    None => return,
                }
            }
        };
        let [a, b, c, d, e, f] = *peer.words();
        let words = [a, b, c | checksum(peer.words()) << ZERO_BITS, d, e, f];
        // The same pair again, as for every datagram but the first, costs no store.
        if place.iter().zip(words).any(|(at, word)| at.get() != word) {
            for (at, word) in place.iter().zip(words) {
                at.set(word);
            }
        }
    }

    /// The frontend that a backend answers for.
    #[inline(always)]
    pub fn recall(&self, backend: &Backend) -> Option<FrontendKey> {
        let [a, b, c, d, e, f] = self.place(backend)?;
        let port = c.get() & ((1 << ZERO_BITS) - 1);
        let words = [a.get(), b.get(), port, d.get(), e.get(), f.get()];
        (c.get() >> ZERO_BITS == checksum(&words)).then(|| Peer::from_words(words).frontend())
    }

    /// A datagram went straight to a backend: its answer is its own.
    #[inline(always)]
    pub fn forget(&self, backend: &Backend) {
        if let Some(place) = self.place(backend) {
            // No backend has port 0, so that the place is found by none.
            place[5].set(0);
        }
    }

    #[inline(always)]
    fn place(&self, backend: &Backend) -> Option<&[Cell<u64>; 6]> {
        let [high, low, port] = *backend.words();
        let is_it = |place: &&[Cell<u64>; 6]| {
            let [.., a, b, c] = place;
            a.get() == high && b.get() == low && c.get() == port
        };
        self.places.iter().find(is_it)
    }
}

impl Default for Datagrams {
    fn default() -> Self {
        Self::new()
    }
}

/// How many bits of a frontend's port word are its own: port and protocol.
const ZERO_BITS: u32 = 24;

/// 40 bits over a pair.
#[inline(always)]
fn checksum(words: &[u64; 6]) -> u64 {
    let [a, b, c, d, e, f] = *words;
    let mixed =
        a ^ b.rotate_left(11) ^ c.rotate_left(23) ^ d.rotate_left(31) ^ e.rotate_left(43) ^ f.rotate_left(53);
    mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> ZERO_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Protocol::Udp;

    fn peer(frontend: u8, backend: u8) -> Peer {
        let frontend = FrontendKey::new([10, 96, 0, frontend].into(), 53, Udp);
        Peer::new(frontend, Backend::new([10, 244, 0, backend].into(), 53))
    }

    #[test]
    fn each_backend_answers_for_its_frontend() {
        let sent = Datagrams::new();
        for number in 0..8 {
            sent.remember(&peer(number, number + 100));
        }
        for number in 0..8 {
            let peer = peer(number, number + 100);
            assert_eq!(sent.recall(&peer.backend()), Some(peer.frontend()));
        }
        assert_eq!(sent.recall(&peer(0, 200).backend()), None);
    }

    #[test]
    fn beyond_its_places_the_oldest_goes() {
        let sent = Datagrams::new();
        for number in 0..9 {
            sent.remember(&peer(number, number));
            // Asked again and again, it takes no second place.
            sent.remember(&peer(number, number));
        }
        assert_eq!(sent.recall(&peer(0, 0).backend()), None);
        for number in 1..9 {
            assert_eq!(sent.recall(&peer(number, number).backend()), Some(peer(number, number).frontend()));
        }
    }

    #[test]
    fn the_last_datagram_to_a_backend_counts() {
        let sent = Datagrams::new();
        sent.remember(&peer(1, 7));
        sent.remember(&peer(2, 7));
        assert_eq!(sent.recall(&peer(2, 7).backend()), Some(peer(2, 7).frontend()));
        sent.forget(&peer(2, 7).backend());
        assert_eq!(sent.recall(&peer(2, 7).backend()), None);
        sent.remember(&peer(3, 7));
        assert_eq!(sent.recall(&peer(3, 7).backend()), Some(peer(3, 7).frontend()));
    }

    #[test]
    fn a_pair_of_two_writers_is_no_pair() {
        for at in 0..3 {
            let sent = Datagrams::new();
            sent.remember(&peer(1, 7));
            let other = Datagrams::new();
            other.remember(&Peer::new(
                FrontendKey::new("fd00::9".parse().unwrap(), 54, Udp),
                Backend::new([10, 244, 0, 8].into(), 53),
            ));
            sent.places[0][at].set(other.places[0][at].get());
            assert_eq!(sent.recall(&peer(1, 7).backend()), None, "word {at}");
        }
    }
}
