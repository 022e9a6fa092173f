//! What other programs do with bpf(2), and lrpc never does: attach without sharing, and meddle.
#![expect(unsafe_code, reason = "bpf(2) takes addresses")]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use aya::maps::MapData;
use aya::programs::{CgroupAttachMode, CgroupSockAddr};
use aya::{Ebpf, EbpfLoader};
use aya_obj::generated::{BPF_F_BEFORE, bpf_attach_type, bpf_attr, bpf_cmd};

use crate::assembly::{attributes, call_for_fd};

static OBJECT: &[u8] = aya::include_bytes_aligned!("../../../ebpf/object/lrpc.bpf.o");

/// A program of someone else, attached to the hook of `connect4`. Its own cell says nothing, so it lets
/// everything pass.
pub(crate) struct Neighbour {
    object: Ebpf,
}

impl Neighbour {
    pub(crate) fn load(maps: &Path) -> Self {
        let mut object = EbpfLoader::new().default_map_pin_directory(maps).load(OBJECT).unwrap();
        let program: &mut CgroupSockAddr = object.program_mut("connect4").unwrap().try_into().unwrap();
        program.load().unwrap();
        Self { object }
    }

    pub(crate) fn program(&mut self) -> &mut CgroupSockAddr {
        self.object.program_mut("connect4").unwrap().try_into().unwrap()
    }

    /// Attaches as a link, beside others.
    pub(crate) fn share(&mut self, cgroup: &Path) {
        self.program().attach(File::open(cgroup).unwrap(), CgroupAttachMode::Single).unwrap();
    }

    /// Attaches as a link, before others; it is detached with the sandbox's cgroup.
    pub(crate) fn go_before(&mut self, cgroup: &Path) {
        let cgroup = File::open(cgroup).unwrap();
        let program = self.program().fd().unwrap().as_fd().as_raw_fd();
        let mut attributes = attributes();
        attributes.link_create.__bindgen_anon_1.prog_fd = program.cast_unsigned();
        attributes.link_create.__bindgen_anon_2.target_fd = cgroup.as_raw_fd().cast_unsigned();
        attributes.link_create.attach_type = bpf_attach_type::BPF_CGROUP_INET4_CONNECT as u32;
        attributes.link_create.flags = BPF_F_BEFORE;
        // SAFETY: the attributes hold no address. The link's descriptor stays open as long as the test.
        unsafe { call(bpf_cmd::BPF_LINK_CREATE, &mut attributes) }.unwrap();
    }

    /// Attaches in the way of old: 0 is exclusive, 1 may be overridden.
    pub(crate) fn hold(&mut self, cgroup: &Path, flags: u32) {
        let cgroup = File::open(cgroup).unwrap();
        let program = self.program().fd().unwrap().as_fd().as_raw_fd();
        let mut attributes = attributes();
        attributes.__bindgen_anon_5.__bindgen_anon_1.target_fd = cgroup.as_raw_fd().cast_unsigned();
        attributes.__bindgen_anon_5.attach_bpf_fd = program.cast_unsigned();
        attributes.__bindgen_anon_5.attach_type = bpf_attach_type::BPF_CGROUP_INET4_CONNECT as u32;
        attributes.__bindgen_anon_5.attach_flags = flags;
        // SAFETY: the attributes hold no address.
        unsafe { call(bpf_cmd::BPF_PROG_ATTACH, &mut attributes) }.unwrap();
    }

    pub(crate) fn id(&mut self) -> u32 {
        self.program().info().unwrap().id()
    }
}

/// The ids of the programs on the hook of `connect4`, in the order in which they run.
pub(crate) fn order(cgroup: &Path) -> Vec<u32> {
    let cgroup = File::open(cgroup).unwrap();
    let mut ids = [0_u32; 64];
    let mut attributes = attributes();
    attributes.query.__bindgen_anon_1.target_fd = cgroup.as_raw_fd().cast_unsigned();
    attributes.query.attach_type = bpf_attach_type::BPF_CGROUP_INET4_CONNECT as u32;
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
