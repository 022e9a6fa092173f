//! What a connected UDP socket remembers.
//!
//! The kernel lists the storages of TCP sockets and not of others (`inet_sk_diag_fill` ends early where there is
//! no connection socket). A program can look a socket up by both of its ends, and read its storage: this one is
//! a few instructions, attached nowhere, and loads with the two capabilities of every apply.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, RawFd};

use aya_obj::generated::bpf_func_id;
use aya_obj::generated::bpf_func_id::{
    BPF_FUNC_sk_lookup_udp, BPF_FUNC_sk_release, BPF_FUNC_sk_storage_get, BPF_FUNC_skb_load_bytes,
    BPF_FUNC_skb_store_bytes,
};
use lrpc_schema::records::Peer;

use crate::kernel::sys::SysError;
use crate::kernel::sys::map::Map;
use crate::kernel::sys::run::{PACKET, Runnable};

const DOING: &str = "asking what UDP sockets remember";

/// Where the packet has the ends of the socket, and then what it remembers: behind an Ethernet header.
const AT: usize = 14;
/// Lengths of the ends, remote first: {address, address, port 2, port 2}.
const ENDS4: usize = 12;
const ENDS6: usize = 36;

/// The programs that read what a socket remembers, for IPv4 and for IPv6.
#[derive(Debug)]
pub(super) struct Memory {
    of4: Runnable,
    of6: Runnable,
}

impl Memory {
    /// Loads them for a storage.
    pub(super) fn of(peers: &Map) -> Result<Self, SysError> {
        let load = |ends| Runnable::load(DOING, &program(peers, ends));
        Ok(Self { of4: load(ENDS4)?, of6: load(ENDS6)? })
    }

    /// What the UDP socket between two ends remembers, in the network namespace of this thread.
    pub(super) fn read(&self, local: SocketAddr, remote: SocketAddr) -> Result<Option<Peer>, SysError> {
        let ends = ends(local, remote);
        let program = if ends.len() == ENDS4 { &self.of4 } else { &self.of6 };
        let mut packet = [0; PACKET];
        for (place, byte) in packet.iter_mut().skip(AT).zip(ends) {
            *place = byte;
        }
        let (found, packet) = program.run(DOING, &packet)?;
        let peer = packet.get(AT..).and_then(|rest| rest.first_chunk());
        Ok(peer.filter(|_| found == 1).map(Peer::from_bytes))
    }
}

/// Both ends as `struct bpf_sock_tuple` has them, seen from a packet that comes in. An IPv6 socket with
/// IPv4-mapped ends is found as an IPv4 one is.
fn ends(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let addresses = [remote, local].map(|end| match end.ip().to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    });
    let ports = [remote, local].map(|end| end.port().to_be_bytes());
    [addresses.concat(), ports.concat()].concat()
}

/// The instructions, for ends of this length. They return 1 where a socket was found and remembers something,
/// which is then in the packet in the place of its ends.
fn program(peers: &Map, ends: usize) -> Vec<u64> {
    let [peers, rest_of_peers] = load_map(1, peers.as_fd().as_raw_fd());
    let out = vec![copy(0, 8), exit()];
    let release = vec![copy(1, 7), call(BPF_FUNC_sk_release)];
    let write = vec![
        copy(1, 6),
        set(2, number(AT)),
        copy(3, 0),
        set(4, number(Peer::SIZE)),
        set(5, 0),
        call(BPF_FUNC_skb_store_bytes),
        set(8, 1),
    ];
    let read = vec![
        copy(7, 0),
        peers,
        rest_of_peers,
        copy(2, 7),
        set(3, 0),
        set(4, 0),
        call(BPF_FUNC_sk_storage_get),
        skip_if_zero(&[&write]),
    ];
    let find = vec![
        copy(1, 6),
        copy(2, STACK),
        add(2, ENDS_AT),
        set(3, number(ends)),
        set(4, THIS_NAMESPACE),
        set(5, 0),
        call(BPF_FUNC_sk_lookup_udp),
        skip_if_zero(&[&read, &write, &release]),
    ];
    let load = vec![
        copy(6, 1),
        set(8, 0),
        set(2, number(AT)),
        copy(3, STACK),
        add(3, ENDS_AT),
        set(4, number(ends)),
        call(BPF_FUNC_skb_load_bytes),
        skip_unless_zero(&[&find, &read, &write, &release]),
    ];
    [load, find, read, write, release, out].concat()
}

/// The register that points behind the stack, and where below it the ends are.
const STACK: u8 = 10;
const ENDS_AT: i32 = -40;
/// `BPF_F_CURRENT_NETNS`.
const THIS_NAMESPACE: i32 = -1;

fn number(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

/// An instruction: {operation 1, registers 1, offset 2, immediate 4}.
fn instruction(operation: u8, to: u8, from: u8, offset: i16, immediate: i32) -> u64 {
    let registers = if cfg!(target_endian = "little") { from << 4 | to } else { to << 4 | from };
    let ([a, b], [c, d, e, f]) = (offset.to_ne_bytes(), immediate.to_ne_bytes());
    u64::from_ne_bytes([operation, registers, a, b, c, d, e, f])
}

fn copy(to: u8, from: u8) -> u64 {
    instruction(0xbf, to, from, 0, 0)
}

fn set(register: u8, value: i32) -> u64 {
    instruction(0xb7, register, 0, 0, value)
}

fn add(register: u8, value: i32) -> u64 {
    instruction(0x07, register, 0, 0, value)
}

/// Puts a map into a register, in two instructions.
fn load_map(register: u8, fd: RawFd) -> [u64; 2] {
    [instruction(0x18, register, 1, 0, fd), 0]
}

/// Calls a helper, which takes registers 1 to 5 and answers in 0.
fn call(helper: bpf_func_id) -> u64 {
    instruction(0x85, 0, 0, 0, helper as i32)
}

/// Goes on behind these blocks where a helper has answered nothing.
fn skip_if_zero(blocks: &[&[u64]]) -> u64 {
    instruction(0x15, 0, 0, length(blocks), 0)
}

/// The same where it has answered with an error.
fn skip_unless_zero(blocks: &[&[u64]]) -> u64 {
    instruction(0x55, 0, 0, length(blocks), 0)
}

fn length(blocks: &[&[u64]]) -> i16 {
    i16::try_from(blocks.iter().map(|block| block.len()).sum::<usize>()).unwrap_or(i16::MAX)
}

fn exit() -> u64 {
    instruction(0x95, 0, 0, 0, 0)
}
