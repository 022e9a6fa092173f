//! What `cargo xtask bench connect` compares with: a program that does nothing, on every hook of a cgroup for socket
//! addresses that is named as the only argument, until standard input ends.
//!
//! It stands here because nothing outside of this folder speaks bpf(2).

use std::io::{self, Read, Write};
use std::path::Path;

use aya_obj::generated::bpf_attach_type;

#[path = "../tests/kernel/assembly.rs"]
mod assembly;

const HOOKS: [bpf_attach_type; 6] = [
    bpf_attach_type::BPF_CGROUP_INET4_CONNECT,
    bpf_attach_type::BPF_CGROUP_INET6_CONNECT,
    bpf_attach_type::BPF_CGROUP_UDP4_SENDMSG,
    bpf_attach_type::BPF_CGROUP_UDP6_SENDMSG,
    bpf_attach_type::BPF_CGROUP_UDP4_RECVMSG,
    bpf_attach_type::BPF_CGROUP_UDP6_RECVMSG,
];

fn main() -> io::Result<()> {
    let cgroup = std::env::args_os().nth(1).ok_or_else(|| io::Error::other("which cgroup?"))?;
    let mut links = Vec::new();
    for hook in HOOKS {
        let program = assembly::load(hook, "empty", &[assembly::set(0, 1), assembly::EXIT])?;
        links.push(assembly::attach(&program, hook, 0, Path::new(&cgroup))?);
    }
    let mut out = io::stdout();
    writeln!(out, "attached")?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
