//! Kernel programs written by hand, loaded and attached by bpf(2) itself.
#![expect(unsafe_code, reason = "bpf(2) takes addresses")]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use aya_obj::generated::{bpf_attach_type, bpf_attr, bpf_cmd, bpf_prog_type};

/// One instruction, as the kernel reads it.
pub(crate) type Instruction = u64;

/// `code`, registers (source in the high half), offset and immediate value.
pub(crate) const fn instruction(code: u8, registers: u8, offset: i16, value: i32) -> Instruction {
    let ([a, b], [c, d, e, f]) = (offset.to_ne_bytes(), value.to_ne_bytes());
    u64::from_ne_bytes([code, registers, a, b, c, d, e, f])
}

/// `destination = value`
pub(crate) const fn set(destination: u8, value: i32) -> Instruction {
    instruction(0xb7, destination, 0, value)
}

/// Ends the program with what register 0 holds.
pub(crate) const EXIT: Instruction = instruction(0x95, 0, 0, 0);

/// Loads a program for a hook of socket addresses, by the name under which others see it.
pub(crate) fn load(hook: bpf_attach_type, name: &str, code: &[Instruction]) -> io::Result<OwnedFd> {
    let mut log = vec![0_u8; 1 << 16];
    let mut attributes = attributes();
    // SAFETY: the member is the one that BPF_PROG_LOAD reads, and zero is a value of all its fields.
    let program = unsafe { &mut attributes.__bindgen_anon_3 };
    program.prog_type = bpf_prog_type::BPF_PROG_TYPE_CGROUP_SOCK_ADDR as u32;
    program.expected_attach_type = hook as u32;
    program.insns = code.as_ptr().addr() as u64;
    program.insn_cnt = u32::try_from(code.len()).map_err(io::Error::other)?;
    program.license = c"Apache-2.0".as_ptr().addr() as u64;
    for (place, byte) in program.prog_name.iter_mut().zip(name.bytes().take(15)) {
        *place = libc::c_char::from_ne_bytes([byte]);
    }
    program.log_level = 1;
    program.log_buf = log.as_mut_ptr().addr() as u64;
    program.log_size = u32::try_from(log.len()).map_err(io::Error::other)?;
    // SAFETY: the addresses are of the instructions, the licence and the log, with their lengths.
    unsafe { call_for_fd(bpf_cmd::BPF_PROG_LOAD, &mut attributes) }.map_err(|error| {
        let said = String::from_utf8_lossy(&log);
        io::Error::new(error.kind(), format!("{error}\n{}", said.trim_end_matches('\0')))
    })
}

/// Attaches a program to a hook of a cgroup, beside others, for as long as the link stays open; behind them if `flags`
/// say nothing else.
pub(crate) fn attach(
    program: &OwnedFd,
    hook: bpf_attach_type,
    flags: u32,
    cgroup: &Path,
) -> io::Result<OwnedFd> {
    let cgroup = File::open(cgroup)?;
    let mut attributes = attributes();
    attributes.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd().cast_unsigned();
    attributes.link_create.__bindgen_anon_2.target_fd = cgroup.as_raw_fd().cast_unsigned();
    attributes.link_create.attach_type = hook as u32;
    attributes.link_create.flags = flags;
    // SAFETY: the attributes hold no address.
    unsafe { call_for_fd(bpf_cmd::BPF_LINK_CREATE, &mut attributes) }
}

pub(crate) fn attributes() -> bpf_attr {
    // SAFETY: zero is a value of every member.
    unsafe { std::mem::zeroed() }
}

/// # Safety
/// Every address in the attributes points to what the command reads or writes there, and the command opens a
/// descriptor.
pub(crate) unsafe fn call_for_fd(command: bpf_cmd, attributes: &mut bpf_attr) -> io::Result<OwnedFd> {
    // SAFETY: the caller vouches for the attributes.
    let answer =
        unsafe { libc::syscall(libc::SYS_bpf, command as libc::c_long, attributes, size_of::<bpf_attr>()) };
    let fd = i32::try_from(answer).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
