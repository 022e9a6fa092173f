//! What is asked of the kernel about sockets, and what it says of each: bytes, as linux/inet_diag.h has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd};

use lrpc_schema::protocol::Protocol;
use lrpc_schema::records::Peer;

use super::Socket;
use crate::kernel::sys::netns::Netns;

/// Which sockets there are.
pub(super) const BY_FAMILY: u16 = 20;
/// One socket shall end.
pub(super) const DESTROY: u16 = 21;

/// The families of sockets that can have a peer which policies speak of.
pub(super) const FAMILIES: [u8; 2] = [INET, INET6];
#[expect(clippy::cast_possible_truncation, reason = "families are small numbers")]
const INET: u8 = libc::AF_INET as u8;
#[expect(clippy::cast_possible_truncation, reason = "families are small numbers")]
const INET6: u8 = libc::AF_INET6 as u8;

/// The states in which a socket has a peer, one bit each: established (UDP that is connected is, too), on its
/// way there, or closed by one side only.
const CONNECTED: u32 = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 8;

/// Length of a socket's name: {ports 4, addresses 32, interface 4, cookie 8}.
const NAME: usize = 48;
/// Where an answer has its fields: {family 1, state 1, timer 2, name 48, expires 4, queues 8, user 4, inode 4}.
const NAME_AT: usize = 4;
const INODE_AT: usize = 68;
/// Where its attributes begin.
const ATTRIBUTES_AT: usize = 72;

/// Attribute of a question, and of the attribute in it: the storages to be told, by descriptor.
const REQUEST_STORAGES: u16 = 2;
const REQUEST_MAP: u16 = 1;
/// Attributes of an answer, and of those in them.
const STORAGES: u16 = 20;
const STORAGE: u16 = 1;
const STORAGE_VALUE: u16 = 3;
const CGROUP: u16 = 21;
/// Flag of an attribute that holds attributes.
const NESTED: u16 = 1 << 15;
/// The flags of an attribute beside its kind.
const FLAGS: u16 = 3 << 14;

/// How the kernel knows a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    family: u8,
    protocol: Protocol,
    bytes: [u8; NAME],
}

/// Asks for the connected sockets of a family and protocol, and for what they hold of a storage.
pub(super) fn list(family: u8, protocol: Protocol, storage: Option<BorrowedFd<'_>>) -> Vec<u8> {
    let mut body = request(family, protocol, CONNECTED, &[0; NAME]);
    if let Some(storage) = storage {
        let map = attribute(REQUEST_MAP, &storage.as_raw_fd().to_ne_bytes());
        body.extend(attribute(REQUEST_STORAGES | NESTED, &map));
    }
    body
}

/// Asks for the end of a socket.
pub(super) fn destroy(name: &Name) -> Vec<u8> {
    request(name.family, name.protocol, 0, &name.bytes)
}

fn request(family: u8, protocol: Protocol, states: u32, name: &[u8; NAME]) -> Vec<u8> {
    let mut body = vec![family, protocol.number(), 0, 0];
    body.extend(states.to_ne_bytes());
    body.extend(name);
    body
}

/// An attribute whose value is a multiple of four bytes long.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    [&length.to_ne_bytes(), &kind.to_ne_bytes(), value].concat()
}

/// The socket that an answer tells of; `None` for one that nobody holds open any more, or an answer that is none.
pub(super) fn socket(answer: &[u8], protocol: Protocol) -> Option<Socket> {
    let family = *answer.first()?;
    let bytes = chunk(answer, NAME_AT)?;
    if u32::from_ne_bytes(chunk(answer, INODE_AT)?) == 0 {
        return None;
    }
    let end = |address_at, port_at| -> Option<SocketAddr> {
        let address = match family {
            INET => IpAddr::V4(Ipv4Addr::from_octets(chunk(&bytes, address_at)?)),
            INET6 => IpAddr::V6(Ipv6Addr::from_octets(chunk(&bytes, address_at)?)),
            _ => return None,
        };
        Some(SocketAddr::new(address, u16::from_be_bytes(chunk(&bytes, port_at)?)))
    };
    let (local, remote) = (end(4, 0)?, end(20, 2)?);
    let (mut peer, mut cgroup) = (None, None);
    for (kind, value) in attributes(answer.get(ATTRIBUTES_AT..)?) {
        match kind {
            STORAGES => peer = self::peer(value),
            CGROUP => cgroup = chunk(value, 0).map(u64::from_ne_bytes),
            _ => {}
        }
    }
    Some(Socket {
        name: Name { family, protocol, bytes },
        protocol,
        local,
        remote,
        peer,
        cgroup,
        netns: Netns::default(),
    })
}

/// What a socket remembers, among its storages.
fn peer(storages: &[u8]) -> Option<Peer> {
    let (_, storage) = attributes(storages).find(|(kind, _)| *kind == STORAGE)?;
    let (_, value) = attributes(storage).find(|(kind, _)| *kind == STORAGE_VALUE)?;
    value.try_into().ok().map(Peer::from_bytes)
}

/// The attributes in some bytes, by kind.
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(chunk(bytes, 0)?));
        let kind = u16::from_ne_bytes(chunk(bytes, 2)?) & !FLAGS;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn chunk<const SIZE: usize>(bytes: &[u8], at: usize) -> Option<[u8; SIZE]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use lrpc_schema::records::{Backend, FrontendKey};

    use super::*;

    /// An answer about a TCP socket that is connected to a port 80.
    fn answer(family: u8, to: &[u8], inode: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut answer = vec![0; ATTRIBUTES_AT];
        (answer[0], answer[1]) = (family, 1);
        answer[NAME_AT + 2..][..2].copy_from_slice(&80_u16.to_be_bytes());
        answer[NAME_AT + 20..][..to.len()].copy_from_slice(to);
        answer[INODE_AT..][..4].copy_from_slice(&inode.to_ne_bytes());
        [answer, attributes.concat()].concat()
    }

    fn told(answer: &[u8]) -> Option<Socket> {
        socket(answer, Protocol::Tcp)
    }

    fn remembered() -> (Peer, Vec<u8>) {
        let frontend = FrontendKey::new([169, 254, 169, 254].into(), 80, Protocol::Tcp);
        let peer = Peer::new(frontend, Backend::new([10, 0, 0, 1].into(), 8080));
        let value = attribute(STORAGE_VALUE, &peer.to_bytes());
        // The map's number stands before it, and padding.
        let storage = [attribute(2, &7_u32.to_ne_bytes()), attribute(1, &[]), value].concat();
        (peer, attribute(STORAGES, &attribute(STORAGE, &storage)))
    }

    #[test]
    fn a_socket_is_told_with_what_it_remembers_and_its_cgroup() {
        let (peer, storages) = remembered();
        let mark = attribute(15, &[1; 4]);
        let cgroup = attribute(CGROUP, &77_u64.to_ne_bytes());
        let told = told(&answer(INET, &[10, 0, 0, 1], 5, &[mark, storages, cgroup])).unwrap();
        assert_eq!(told.remote, SocketAddr::from(([10, 0, 0, 1], 80)));
        assert_eq!((told.peer, told.cgroup), (Some(peer), Some(77)));
    }

    #[test]
    fn both_families_are_read_and_what_is_not_said_is_unknown() {
        let mapped = Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped();
        let told = told(&answer(INET6, &mapped.octets(), 5, &[])).unwrap();
        assert_eq!((told.remote.ip(), told.peer, told.cgroup), (mapped.into(), None, None));
    }

    #[test]
    fn a_socket_that_nobody_holds_is_none() {
        assert_eq!(told(&answer(INET, &[10, 0, 0, 1], 0, &[])), None);
    }

    #[test]
    fn no_cut_of_an_answer_is_read_beyond_its_end() {
        let cgroup = attribute(CGROUP, &77_u64.to_ne_bytes());
        let whole = answer(INET, &[10, 0, 0, 1], 5, &[remembered().1, cgroup]);
        for length in 0..whole.len() {
            let cut = told(&whole[..length]);
            assert!(cut.is_none_or(|cut| cut.cgroup.is_none()), "{length}");
        }
    }

    #[test]
    fn a_socket_is_ended_by_the_name_that_the_kernel_gave_it() {
        let told = told(&answer(INET, &[10, 0, 0, 1], 5, &[])).unwrap();
        let request = destroy(&told.name);
        assert_eq!(request[..8], [INET, 6, 0, 0, 0, 0, 0, 0]);
        assert_eq!(request[8..], told.name.bytes);
    }
}
