//! What other programs do with bpf(2), and lrpc never does: balance Services, attach without sharing, and meddle.
#![expect(unsafe_code, reason = "bpf(2) takes addresses")]

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use aya::maps::MapData;
use aya_obj::generated::{BPF_F_BEFORE, bpf_attach_type, bpf_attr, bpf_cmd, bpf_map_type, bpf_prog_info};
use lrpc_schema::records::Hook;

use crate::assembly::{self, EXIT, Instruction, attributes, call_for_fd, instruction};

/// A program of someone else on one hook, written by hand.
pub(crate) struct Foreign {
    hook: Hook,
    program: OwnedFd,
    /// They stay for as long as the program does.
    links: Vec<OwnedFd>,
}

impl Foreign {
    /// One that lets everything pass.
    pub(crate) fn passing(hook: Hook) -> Self {
        Self::load(hook, &[assembly::set(0, 1), EXIT])
    }

    /// One that makes a Service's address a pod's, as a balancer of Services on the sockets does.
    pub(crate) fn balancing(hook: Hook, service: SocketAddr, pod: SocketAddr) -> Self {
        let (last, service, pod_address) = match (service.ip(), pod.ip()) {
            (IpAddr::V4(service), IpAddr::V4(pod)) => (USER_IP4, service.octets(), pod.octets()),
            (IpAddr::V6(service), IpAddr::V6(pod)) => {
                // The addresses of these tests differ in their last words only.
                let [service, pod] = [service, pod].map(|ip| *ip.octets().last_chunk().unwrap());
                (USER_IP6_LAST, service, pod)
            }
            _ => panic!("a Service and a pod of different families"),
        };
        Self::load(
            hook,
            &[
                // r2 is the address; another one is left alone.
                instruction(0x61, 0x12, last, 0),
                instruction(0x56, 2, 4, i32::from_ne_bytes(service)),
                instruction(0xb4, 2, 0, i32::from_ne_bytes(pod_address)),
                instruction(0x63, 0x21, last, 0),
                instruction(0xb4, 2, 0, i32::from(pod.port().to_be())),
                instruction(0x63, 0x21, USER_PORT, 0),
                assembly::set(0, 1),
                EXIT,
            ],
        )
    }

    fn load(hook: Hook, code: &[Instruction]) -> Self {
        let program = assembly::load(attach_type(hook), &format!("lb_{hook}"), code).unwrap();
        Self { hook, program, links: Vec::new() }
    }

    /// Attaches as a link, behind others.
    pub(crate) fn share(&mut self, cgroup: &Path) {
        let link = self.link(cgroup);
        self.links.push(link);
    }

    /// Attaches as a link, before others.
    pub(crate) fn go_before(&mut self, cgroup: &Path) {
        let link = assembly::attach(&self.program, attach_type(self.hook), BPF_F_BEFORE, cgroup).unwrap();
        self.links.push(link);
    }

    /// Attaches as a link that is pinned at a path.
    pub(crate) fn pin_link(&self, cgroup: &Path, at: &Path) {
        pin(&self.link(cgroup), at);
    }

    fn link(&self, cgroup: &Path) -> OwnedFd {
        assembly::attach(&self.program, attach_type(self.hook), 0, cgroup).unwrap()
    }

    /// Attaches in the way of old: 0 is exclusive, 1 may be overridden. It goes with the cgroup.
    pub(crate) fn hold(&self, cgroup: &Path, flags: u32) {
        let cgroup = File::open(cgroup).unwrap();
        let mut attributes = attributes();
        attributes.__bindgen_anon_5.__bindgen_anon_1.target_fd = cgroup.as_raw_fd().cast_unsigned();
        attributes.__bindgen_anon_5.attach_bpf_fd = self.program.as_raw_fd().cast_unsigned();
        attributes.__bindgen_anon_5.attach_type = attach_type(self.hook) as u32;
        attributes.__bindgen_anon_5.attach_flags = flags;
        // SAFETY: the attributes hold no address.
        unsafe { call(bpf_cmd::BPF_PROG_ATTACH, &mut attributes) }.unwrap();
    }

    /// Takes the place of the program of a pinned link, whatever it was.
    pub(crate) fn usurp(&self, link: &Path) {
        let at = std::ffi::CString::new(link.as_os_str().as_encoded_bytes()).unwrap();
        let mut open = attributes();
        open.__bindgen_anon_4.pathname = at.as_ptr().addr() as u64;
        // SAFETY: `at` is a text with a NUL, and lives to the end of the call.
        let link = unsafe { call_for_fd(bpf_cmd::BPF_OBJ_GET, &mut open) }.unwrap();
        let mut attributes = attributes();
        attributes.link_update.link_fd = link.as_raw_fd().cast_unsigned();
        attributes.link_update.__bindgen_anon_1.new_prog_fd = self.program.as_raw_fd().cast_unsigned();
        // SAFETY: the attributes hold no address.
        unsafe { call(bpf_cmd::BPF_LINK_UPDATE, &mut attributes) }.unwrap();
    }

    pub(crate) fn id(&self) -> u32 {
        // SAFETY: zero is a value of every field.
        let mut info: bpf_prog_info = unsafe { std::mem::zeroed() };
        let mut attributes = attributes();
        attributes.info.bpf_fd = self.program.as_raw_fd().cast_unsigned();
        attributes.info.info_len = u32::try_from(size_of_val(&info)).unwrap();
        attributes.info.info = (&raw mut info).addr() as u64;
        // SAFETY: `info` has `info_len` bytes.
        unsafe { call(bpf_cmd::BPF_OBJ_GET_INFO_BY_FD, &mut attributes) }.unwrap();
        info.id
    }
}

/// Where fields are in the context of these programs.
const USER_IP4: i16 = 4;
const USER_IP6_LAST: i16 = 20;
const USER_PORT: i16 = 24;

fn attach_type(hook: Hook) -> bpf_attach_type {
    match hook {
        Hook::Getpeername4 => bpf_attach_type::BPF_CGROUP_INET4_GETPEERNAME,
        Hook::Getpeername6 => bpf_attach_type::BPF_CGROUP_INET6_GETPEERNAME,
        Hook::Recvmsg4 => bpf_attach_type::BPF_CGROUP_UDP4_RECVMSG,
        Hook::Recvmsg6 => bpf_attach_type::BPF_CGROUP_UDP6_RECVMSG,
        Hook::Sendmsg4 => bpf_attach_type::BPF_CGROUP_UDP4_SENDMSG,
        Hook::Sendmsg6 => bpf_attach_type::BPF_CGROUP_UDP6_SENDMSG,
        Hook::Connect4 => bpf_attach_type::BPF_CGROUP_INET4_CONNECT,
        Hook::Connect6 => bpf_attach_type::BPF_CGROUP_INET6_CONNECT,
    }
}

/// The ids of the programs on a hook of a cgroup, in the order in which they run.
pub(crate) fn order(cgroup: &Path, hook: Hook) -> Vec<u32> {
    let cgroup = File::open(cgroup).unwrap();
    let mut ids = [0_u32; 64];
    let mut attributes = attributes();
    attributes.query.__bindgen_anon_1.target_fd = cgroup.as_raw_fd().cast_unsigned();
    attributes.query.attach_type = attach_type(hook) as u32;
    attributes.query.prog_ids = ids.as_mut_ptr().addr() as u64;
    attributes.query.__bindgen_anon_2.prog_cnt = 64;
    // SAFETY: `ids` has room for 64 ids.
    unsafe { call(bpf_cmd::BPF_PROG_QUERY, &mut attributes) }.unwrap();
    // SAFETY: the kernel has written into this member.
    let query = unsafe { attributes.query };
    // SAFETY: both members are the same integer.
    let count = unsafe { query.__bindgen_anon_2.prog_cnt };
    ids[..count as usize].to_vec()
}

/// Pins a hash with entries at a path.
pub(crate) fn pin_hash<const KEY: usize, const VALUE: usize>(
    at: &Path,
    entries: &[([u8; KEY], [u8; VALUE])],
) {
    let mut create = attributes();
    create.__bindgen_anon_1.map_type = bpf_map_type::BPF_MAP_TYPE_HASH as u32;
    create.__bindgen_anon_1.key_size = u32::try_from(KEY).unwrap();
    create.__bindgen_anon_1.value_size = u32::try_from(VALUE).unwrap();
    create.__bindgen_anon_1.max_entries = 64;
    // SAFETY: the attributes hold no address.
    let map = unsafe { call_for_fd(bpf_cmd::BPF_MAP_CREATE, &mut create) }.unwrap();
    for (key, value) in entries {
        put(map.as_fd(), key, value).unwrap();
    }
    pin(&map, at);
}

fn pin(object: &OwnedFd, at: &Path) {
    let at = std::ffi::CString::new(at.as_os_str().as_encoded_bytes()).unwrap();
    let mut attributes = attributes();
    attributes.__bindgen_anon_4.pathname = at.as_ptr().addr() as u64;
    attributes.__bindgen_anon_4.bpf_fd = object.as_raw_fd().cast_unsigned();
    // SAFETY: `at` is a text with a NUL, and lives to the end of the call.
    unsafe { call(bpf_cmd::BPF_OBJ_PIN, &mut attributes) }.unwrap();
}

/// Writes an element of a map with keys of four bytes, past its owner.
pub(crate) fn overwrite(map: BorrowedFd<'_>, key: u32, value: &[u8]) -> io::Result<()> {
    put(map, &key.to_ne_bytes(), value)
}

/// Writes an element of a map, past its owner.
pub(crate) fn put(map: BorrowedFd<'_>, key: &[u8], value: &[u8]) -> io::Result<()> {
    let mut attributes = attributes();
    attributes.__bindgen_anon_2.map_fd = map.as_raw_fd().cast_unsigned();
    attributes.__bindgen_anon_2.key = key.as_ptr().addr() as u64;
    attributes.__bindgen_anon_2.__bindgen_anon_1.value = value.as_ptr().addr() as u64;
    // SAFETY: the caller's map has keys and values of the given lengths.
    unsafe { call(bpf_cmd::BPF_MAP_UPDATE_ELEM, &mut attributes) }
}

/// An empty map of the same shape, which nobody has frozen.
pub(crate) fn like(map: &MapData) -> io::Result<OwnedFd> {
    let shape = map.info().map_err(io::Error::other)?;
    let mut attributes = attributes();
    // SAFETY: the member is the one that BPF_MAP_CREATE reads, and zero is a value of all its fields.
    let created = unsafe { &mut attributes.__bindgen_anon_1 };
    created.map_type = shape.map_type().map_err(io::Error::other)? as u32;
    created.key_size = shape.key_size();
    created.value_size = shape.value_size();
    created.max_entries = shape.max_entries();
    created.map_flags = shape.map_flags();
    // SAFETY: the attributes hold no address, and the command opens a descriptor.
    unsafe { call_for_fd(bpf_cmd::BPF_MAP_CREATE, &mut attributes) }
}

/// # Safety
/// Every address in the attributes points to what the command reads or writes there.
unsafe fn call(command: bpf_cmd, attributes: &mut bpf_attr) -> io::Result<()> {
    // SAFETY: the caller vouches for the attributes.
    let answer =
        unsafe { libc::syscall(libc::SYS_bpf, command as libc::c_long, attributes, size_of::<bpf_attr>()) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
