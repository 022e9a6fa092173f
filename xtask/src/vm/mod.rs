//! `cargo xtask vm`: the core of the kernel suite on older kernels, each in a virtual machine, all at once.
//!
//! Debian's cloud kernels boot under qemu without any device but a serial port, from an initramfs that holds static
//! test binaries and what they call. In there every `lrpc` has CAP_BPF and CAP_NET_ADMIN and nothing else. Processors
//! are emulated, so it needs no rights and no virtualization of the host.

mod core;
mod guest;
mod kernels;
mod machine;
mod record;

use std::path::{Path, PathBuf};
use std::thread;

use crate::packages;
use crate::repository::{Failure, Repository, Result};

use self::guest::Guest;
use self::kernels::KERNELS;
use self::machine::Said;

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
    #[arg(value_parser = KERNELS.iter().map(|kernel| kernel.series).collect::<Vec<_>>())]
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
    let named = |series: &str| args.kernels.is_empty() || args.kernels.iter().any(|name| name == series);
    let mut machines = Vec::new();
    for kernel in KERNELS.iter().filter(|kernel| named(kernel.series)) {
        let fetched = kernel.fetch(repository)?;
        let initramfs = guest.initramfs(&fetched)?;
        machines.push((kernel.series, fetched.image, initramfs));
    }
    let mut failed = Vec::new();
    let mut figures = record::Figures::new();
    for (series, said) in run_at_once(&machines) {
        println!("-- {series}");
        let said = said?;
        said.lines.iter().for_each(|line| println!("{line}"));
        println!("{} passed, {} failed", said.passed, said.failed.len());
        figures.add(&said.lines)?;
        failed.extend(said.failed.into_iter().map(|test| format!("{test} on {series}")));
    }
    if args.record {
        record::write(repository, &figures)?;
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure(format!("failed: {}", failed.join(", ")))) }
}

/// Runs the machines, each of which keeps one processor busy.
fn run_at_once<'a>(machines: &'a [(&'static str, PathBuf, PathBuf)]) -> Vec<(&'static str, Result<Said>)> {
    thread::scope(|scope| {
        let start = |(series, kernel, initramfs): &'a (&'static str, PathBuf, PathBuf)| {
            (*series, scope.spawn(move || machine::run(kernel, initramfs)))
        };
        let running: Vec<_> = machines.iter().map(start).collect();
        let stopped = || Err(Failure("a machine's thread panicked".into()));
        running.into_iter().map(|(series, run)| (series, run.join().unwrap_or_else(|_| stopped()))).collect()
    })
}
