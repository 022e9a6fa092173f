//! Programs that are attached nowhere and run when they are asked to, on a packet that they are given.

use std::os::fd::{AsFd, OwnedFd};

use aya_obj::generated::bpf_prog_type;

use super::{Command, SysError, address, attributes, call, call_for_fd, raw};

/// Length of the packet: room for an Ethernet header, which the kernel wants, and what it carries.
pub(crate) const PACKET: usize = 64;

/// A loaded program of the kind that classifies packets, whose helpers know the sockets of a network namespace.
#[derive(Debug)]
pub(crate) struct Runnable(OwnedFd);

impl Runnable {
    /// Loads one out of its instructions; needs CAP_BPF and CAP_NET_ADMIN. `doing` is what it is for.
    pub(crate) fn load(doing: &str, instructions: &[u64]) -> Result<Self, SysError> {
        let mut attributes = attributes();
        attributes.__bindgen_anon_3.prog_type = bpf_prog_type::BPF_PROG_TYPE_SCHED_CLS as u32;
        attributes.__bindgen_anon_3.insn_cnt = u32::try_from(instructions.len()).unwrap_or(u32::MAX);
        attributes.__bindgen_anon_3.insns = address(instructions.as_ptr());
        attributes.__bindgen_anon_3.license = address(c"Apache-2.0".as_ptr());
        // SAFETY: the kernel reads as many instructions as there are and a text that ends in NUL, and opens a
        // descriptor.
        let fd = unsafe { call_for_fd(Command::ProgLoad, &mut attributes) };
        fd.map(Self).map_err(|error| SysError::new(doing, Command::ProgLoad.name(), error))
    }

    /// Runs it in the network namespace of this thread; returns what it returns, and the packet as it leaves it.
    pub(crate) fn run(&self, doing: &str, packet: &[u8; PACKET]) -> Result<(u32, [u8; PACKET]), SysError> {
        let mut out = [0; PACKET];
        let mut attributes = attributes();
        attributes.test.prog_fd = raw(self.0.as_fd());
        attributes.test.data_size_in = u32::try_from(packet.len()).unwrap_or(0);
        attributes.test.data_size_out = u32::try_from(out.len()).unwrap_or(0);
        attributes.test.data_in = address(packet.as_ptr());
        attributes.test.data_out = address(out.as_mut_ptr());
        // SAFETY: both buffers live to the end of the call and are as long as it is told.
        unsafe { call(Command::ProgRun, &mut attributes) }
            .map_err(|error| SysError::new(doing, Command::ProgRun.name(), error))?;
        // SAFETY: the kernel has answered in the member that it was asked by, which is made of integers.
        Ok((unsafe { attributes.test.retval }, out))
    }
}
