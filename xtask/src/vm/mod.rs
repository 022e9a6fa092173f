//! `cargo xtask vm`: the core of the kernel suite on older kernels, each in a virtual machine.
//!
//! Debian's cloud kernels boot under qemu without any device but a serial port, from an initramfs that holds static
//! test binaries and what they call. In there every `lrpc` has CAP_BPF and CAP_NET_ADMIN and nothing else. Processors
//! are emulated, so it needs no rights and no virtualization of the host.

mod core;
mod guest;
mod kernels;
mod machine;
mod record;

use std::path::Path;

use crate::packages;
use crate::repository::{Failure, Repository, Result};

use self::guest::Guest;
use self::kernels::KERNELS;

const PACKAGES: [&str; 6] = ["cpio", "iproute2", "kmod", "musl-tools", "qemu-system-x86", "util-linux"];
/// A file of each of them.
const FILES: [&str; 6] = [
    "/usr/bin/cpio",
    "/usr/sbin/ip",
    "/usr/sbin/insmod",
    "/usr/bin/musl-gcc",
    "/usr/bin/qemu-system-x86_64",
    "/usr/bin/setpriv",
];

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Write what the verifier's work was into ebpf/object/verifier.toml instead of holding it against that
    #[arg(long, conflicts_with = "kernels")]
    record: bool,

    /// Which kernels to boot; all of them unless named
    #[arg(value_parser = KERNELS.map(|kernel| kernel.series))]
    kernels: Vec<String>,
}

/// Boots each kernel, and fails after the last where a test failed.
pub(crate) fn run(repository: &Repository, args: &Args) -> Result<()> {
    if !FILES.iter().all(|file| Path::new(file).exists()) {
        packages::install(PACKAGES.into_iter())?;
    }
    if args.record {
        record::forget(repository)?;
    }
    let guest = Guest::build(repository)?;
    let mut failed = Vec::new();
    let mut figures = record::Figures::new();
    let named = |series: &str| args.kernels.is_empty() || args.kernels.iter().any(|name| name == series);
    for kernel in KERNELS.iter().filter(|kernel| named(kernel.series)) {
        let fetched = kernel.fetch(repository)?;
        println!("-- {}", kernel.series);
        let said = machine::run(&fetched.image, &guest.initramfs(&fetched)?)?;
        println!("{} passed, {} failed", said.passed, said.failed.len());
        figures.add(&said.lines)?;
        failed.extend(said.failed.into_iter().map(|test| format!("{test} on {}", kernel.series)));
    }
    if args.record {
        record::write(repository, &figures)?;
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure(format!("failed: {}", failed.join(", ")))) }
}
