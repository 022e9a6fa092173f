//! The kernel programs: one file per hook, the maps and helpers in [`tables`].
//!
//! On any other target than BPF there is nothing to run.
#![cfg_attr(target_arch = "bpf", no_std, no_main, feature(asm_experimental_arch))]
#![deny(unsafe_code)]

#[cfg(target_arch = "bpf")]
mod connect4;
#[cfg(target_arch = "bpf")]
mod connect6;
#[cfg(target_arch = "bpf")]
mod getpeername4;
#[cfg(target_arch = "bpf")]
mod getpeername6;
#[cfg(target_arch = "bpf")]
mod recvmsg4;
#[cfg(target_arch = "bpf")]
mod recvmsg6;
#[cfg(target_arch = "bpf")]
mod sendmsg4;
#[cfg(target_arch = "bpf")]
mod sendmsg6;

#[cfg(target_arch = "bpf")]
mod answer;
#[cfg(target_arch = "bpf")]
mod context;
#[cfg(target_arch = "bpf")]
mod stack;
#[cfg(target_arch = "bpf")]
mod tables;

/// Read by the kernel. No helper in use asks for a GPL-compatible licence.
#[cfg(target_arch = "bpf")]
#[expect(unsafe_code, reason = "the name of the section is the interface")]
#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 11] = *b"Apache-2.0\0";

/// Never linked: a program with a panic path is refused by the verifier.
#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}
