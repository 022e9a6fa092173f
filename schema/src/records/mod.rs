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
//! pin directory; [`PEER_VERSION`] does the same for what outlives every generation.

/// Version of the tables: the records below except those that outlive every generation, and the set of tables
/// itself.
pub const ABI_VERSION: u32 = 2;

/// Version of [`Peer`] and [`Datagrams`], which sockets carry across every swap and every upgrade (L11), and of
/// [`Counts`] and [`Decided`].
pub const PEER_VERSION: u32 = 1;

/// What every record of words can do.
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

mod address;
mod backend;
mod cell;
mod counts;
mod datagrams;
pub mod filter;
mod frontend;
mod generation;
mod hook;
mod member;
mod meta;
mod peer;
mod table;

pub use address::{address_of_words, address_words, ip4_of_words, mapped_words, user_port_protocol_word};
pub use backend::Backend;
pub use cell::Cell;
pub use counts::{CountPlace, Counts, Decided, Fate, Switches};
pub use datagrams::Datagrams;
pub use frontend::{Action, Audience, ClientKind, FrontendKey, FrontendValue};
pub use generation::{Generation, Slot};
pub use hook::Hook;
pub use member::{MEMBER, MemberKey, SetId};
pub use meta::{Levels, Meta};
pub use peer::Peer;
pub use table::{CELL, COUNTERS, DATAGRAMS, EVENTS, META_SIZE, PEERS, Table};

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::*;
    use crate::protocol::Protocol::{Tcp, Udp};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn keys_are_in_network_byte_order() {
        let key = FrontendKey::new(ip("169.254.169.254"), 8080, Tcp);
        let mut expected = [0; 24];
        expected[10..12].fill(0xff);
        expected[12..16].copy_from_slice(&[169, 254, 169, 254]);
        expected[16..19].copy_from_slice(&[0x1f, 0x90, 6]);
        assert_eq!(key.to_bytes(), expected);
        assert_eq!(FrontendKey::from_bytes(&expected), key);
        assert_eq!((key.address(), key.port(), key.protocol()), (ip("169.254.169.254"), 8080, Some(Tcp)));
    }

    #[test]
    fn a_hook_makes_the_key_that_the_loader_makes() {
        let user_ip4 = u32::from_ne_bytes([10, 96, 0, 10]);
        let user_port = u32::from(u16::from_ne_bytes(53_u16.to_be_bytes()));
        let key = FrontendKey::new(ip("10.96.0.10"), 53, Udp);
        let words = mapped_words(user_ip4);
        assert_eq!(*key.words(), [words[0], words[1], user_port_protocol_word(user_port, Udp)]);
        assert_eq!(FrontendKey::of_socket(words, user_port, Udp), key);
        assert_eq!((key.address_words(), key.user_port()), (words, user_port));
        assert_eq!(ip4_of_words(words), Some(user_ip4));
        let backend = Backend::new(ip("10.96.0.10"), 53);
        assert_eq!(Backend::of_socket(words, user_port), backend);
        assert_eq!((backend.address_words(), backend.user_port()), (words, user_port));
    }

    #[test]
    fn an_ipv4_socket_reaches_ipv4_addresses_only() {
        let of = |text| ip4_of_words(address_words(ip(text)));
        assert_eq!(of("10.244.1.7"), Some(u32::from_ne_bytes([10, 244, 1, 7])));
        assert_eq!(of("fd00::1"), None);
        assert_eq!(of("::10.244.1.7"), None);
        assert_eq!(of("1::ffff:10.244.1.7"), None);
    }

    #[test]
    fn a_peer_gives_back_both_ends() {
        let frontend = FrontendKey::new(ip("169.254.169.254"), 8080, Tcp);
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
    fn an_audience_and_an_audit_change_nothing_else() {
        let value = FrontendValue::redirect(3, 7, Backend::new(ip("fd00::1"), 80));
        assert!(value.is_for_all());
        let kinds = [
            ClientKind::All,
            ClientKind::OtherNetns,
            ClientKind::Pods,
            ClientKind::Members,
            ClientKind::OtherPods,
        ];
        for kind in kinds {
            for exempt in [None, Some(SetId::new(u32::MAX))] {
                let audience = Audience { kind, clients: SetId::new(u32::MAX - 1), exempt };
                let value = value.concerning(audience).audited();
                assert_eq!(value.is_for_all(), kind == ClientKind::All && exempt.is_none());
                assert_eq!(
                    (value.client_kind(), value.clients(), value.exempt()),
                    (Some(kind), audience.clients, exempt)
                );
                assert_eq!(
                    (value.action(), value.count(), value.first()),
                    (Some(Action::AuditRedirect), 3, 7)
                );
                assert_eq!(value.backend(), Backend::new(ip("fd00::1"), 80));
            }
        }
        assert_eq!(FrontendValue::drop().audited().action(), Some(Action::AuditDrop));
    }

    #[test]
    fn a_decision_gives_back_what_it_was_made_of() {
        let (key, backend) = (FrontendKey::new(ip("10.96.0.10"), 53, Udp), Backend::new(ip("fd00::1"), 80));
        let decided = Decided::new(5, key, backend, Fate::Own, true, 7 << 32 | 8, 9);
        assert_eq!((decided.at(), decided.frontend(), decided.backend()), (5, key, Some(backend)));
        assert_eq!((decided.fate(), decided.is_audit()), (Some(Fate::Own), true));
        assert_eq!((decided.process(), decided.cgroup()), (7, 9));
        assert_eq!(Decided::new(5, key, Backend::NONE, Fate::Dropped, false, 0, 0).backend(), None);
    }

    #[test]
    fn a_place_gives_back_what_programs_wrote() {
        let key = FrontendKey::new(ip("10.96.0.10"), 53, Udp);
        let mut bytes = [0; CountPlace::SIZE];
        assert_eq!(CountPlace::from_bytes(&bytes).frontend(), None);
        bytes[..24].copy_from_slice(&key.to_bytes());
        for (index, fate) in Fate::ALL.into_iter().enumerate() {
            bytes[24 + index * 8] = 7 + fate as u8;
        }
        let place = CountPlace::from_bytes(&bytes);
        assert_eq!(place.frontend(), Some(key));
        assert_eq!(Fate::ALL.map(|fate| place.counts().of(fate)), [7, 8, 9, 10]);
        assert_eq!((place.lost(), place.uncounted()), (7, 8));
        assert!(
            CountPlace::first(&key).is_multiple_of(CountPlace::WAYS)
                && CountPlace::first(&key) < CountPlace::REST
        );
    }
}
