//! What the frontend table may hold: most connections are to none of its entries, and are told so by one word.
//!
//! A blocked Bloom filter: the hash of a key chooses one word and two bits in it. A key both of whose bits are
//! set may be in the table, every other one is not. Word 0 says how many words there are behind it.

use super::FrontendKey;

/// Which word of a filter speaks of a key, and the bits in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    hash: u64,
}

impl Mark {
    /// The mark of a key.
    #[inline(always)]
    pub const fn of(key: &FrontendKey) -> Self {
        // Odd constants of 64 bits without a pattern: the golden ratio and the square root of three.
        let [high, low, port] = key.words;
        let mixed = (low ^ port.rotate_left(20) ^ high.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .wrapping_mul(0xbb67_ae85_84ca_a73b);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { hash: mixed ^ mixed >> 32 }
    }

    /// The word's index, where a filter has `words` of them (a power of two) behind word 0.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "an index of 32 bits is wanted")]
    pub const fn index(self, words: u64) -> u32 {
        1_u32.wrapping_add((self.hash >> 12 & words.wrapping_sub(1)) as u32)
    }

    /// One of so many sets (a power of two).
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "an index of 32 bits is wanted")]
    pub const fn set(self, sets: u32) -> u32 {
        (self.hash >> 12) as u32 & sets.wrapping_sub(1)
    }

    /// The bits in the word.
    #[inline(always)]
    pub const fn bits(self) -> u64 {
        1 << (self.hash & 63) | 1 << (self.hash >> 6 & 63)
    }

    /// Whether a word has the bits.
    #[inline(always)]
    pub const fn is_in(self, word: u64) -> bool {
        word & self.bits() == self.bits()
    }
}

/// How many words stand behind word 0 for a number of entries: four entries share one.
pub const fn words(entries: usize) -> usize {
    let words = entries.div_ceil(4).next_power_of_two();
    if words > MOST { MOST } else { words }
}

/// The most words that a filter has: 8 MiB.
const MOST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    extern crate std;

    use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::protocol::Protocol;

    /// The share, in a thousand, of other keys that a filter of these lets through.
    fn let_through(keys: &[FrontendKey], others: &[FrontendKey]) -> usize {
        let count = words(keys.len());
        let mut filter = vec![0_u64; count + 1];
        for key in keys {
            let mark = Mark::of(key);
            filter[mark.index(count as u64) as usize] |= mark.bits();
        }
        let passes = |key: &&FrontendKey| {
            let mark = Mark::of(key);
            mark.is_in(filter[mark.index(count as u64) as usize])
        };
        assert!(keys.iter().all(|key| passes(&key)), "no key of the table is lost");
        others.iter().filter(passes).count() * 1000 / others.len()
    }

    fn v4(number: u32, port: u16) -> FrontendKey {
        FrontendKey::new(IpAddr::V4(Ipv4Addr::from(number)), port, Protocol::Tcp)
    }

    #[test]
    fn keys_as_clusters_have_them_are_spread_over_the_words() {
        let services: Vec<_> = (0..10_000).map(|number| v4(0x0a60_0000 + number, 80)).collect();
        let pods: Vec<_> = (0..10_000).map(|number| v4(0x0af4_0000 + number, 80)).collect();
        let ports: Vec<_> = (0..10_000).map(|port| v4(0x0a60_0001, port)).collect();
        let outside: Vec<_> =
            (0..10_000_u32).map(|number| v4(number.wrapping_mul(0x9e37_79b1), 443)).collect();
        let v6: Vec<_> = (0..10_000_u32)
            .map(|number| {
                let address = Ipv6Addr::from((0xfd00_u128 << 112) + u128::from(number));
                FrontendKey::new(IpAddr::V6(address), 53, Protocol::Udp)
            })
            .collect();
        for (keys, others) in
            [(&services, &pods), (&services, &outside), (&ports, &services), (&v6, &outside), (&pods, &v6)]
        {
            // A key of the table may be among the others.
            assert!(let_through(keys, others) < 40, "{}", let_through(keys, others));
        }
    }

    #[test]
    fn one_entry_has_a_word_and_a_million_have_no_more_than_8_mib() {
        assert_eq!((words(0), words(1), words(4), words(5), words(9)), (1, 1, 1, 2, 4));
        assert_eq!(words(100_000), 32_768);
        assert_eq!(words(100_000_000), 1 << 20);
    }
}
