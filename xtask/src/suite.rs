//! `cargo xtask test`: everything that must hold before a change lands, in one command.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::ebpf;
use crate::fuzz;
use crate::packages;
use crate::repository::{Repository, Result, run};
use crate::tidy;

/// Debian packages that the tests run: real servers, real clients, and what makes their surroundings.
const PACKAGES: &str = include_str!("../packages.txt");
/// A file of each of them.
const FILES: [&str; 12] = [
    "/usr/bin/dig",
    "/usr/bin/curl",
    "/usr/sbin/dnsmasq",
    "/usr/bin/g++",
    "/usr/bin/hey",
    "/usr/sbin/ip",
    "/usr/include/liburing.h",
    "/usr/bin/musl-gcc",
    "/usr/bin/nc.openbsd",
    "/usr/bin/python3",
    "/usr/bin/strace",
    "/usr/bin/setpriv",
];

/// Where nothing can be loaded, but everything before that is used.
const ELSEWHERE: [&str; 2] = ["x86_64-apple-darwin", "x86_64-pc-windows-gnu"];

/// How long each fuzz target looks for new input.
const FUZZ_SECONDS: u32 = 20;

/// Random worlds on which `link` is held against the naive model of the rules.
const MODEL_WORLDS: &str = "100000";

/// Installs what is missing and runs every check, the quick ones first.
pub(crate) fn run_all(repository: &Repository) -> Result<()> {
    let begin = Instant::now();
    step(&begin, "Debian packages for the tests");
    if !FILES.iter().all(|file| Path::new(file).exists()) {
        packages::install(PACKAGES.split_whitespace())?;
    }
    step(&begin, "format");
    cargo(repository, "fmt --all --check")?;
    step(&begin, "tidy");
    tidy::run(repository, &tidy::Args::default())?;
    step(&begin, "kernel programs: rebuilt from source");
    let rebuilt = repository.target().join("lrpc.bpf.o");
    ebpf::run(repository, &ebpf::Args::check(rebuilt.clone()))?;
    step(&begin, "kernel programs: decisions on the host");
    cargo(repository, "test --quiet --manifest-path ebpf/Cargo.toml")?;
    step(&begin, "clippy");
    cargo(repository, "clippy --quiet --workspace --all-targets -- --deny warnings")?;
    step(&begin, "the pure commands elsewhere");
    for target in ELSEWHERE {
        run(Command::new("rustup").args(["target", "add", target]))?;
        cargo(repository, &format!("clippy --quiet --package lrpc --target {target} -- --deny warnings"))?;
    }
    step(&begin, "tests, on the kernel too");
    let mut tests = repository.cargo();
    tests.args(["test", "--workspace", "--no-fail-fast"]);
    tests.env("LRPC_MODEL_WORLDS", MODEL_WORLDS);
    // Every error at every system call of every command, on the twin of the kernel.
    tests.env("LRPC_FAULTS", "2");
    // Eight loaders race for as long as it takes to meet each other everywhere.
    tests.env("LRPC_RACE_SECONDS", "30");
    // Ten million connects and datagrams against a thousand swaps.
    tests.env("LRPC_STORM_SWAPS", "1000").env("LRPC_STORM_CALLS", "10000000");
    // The rebuilt object: the committed one's bytes, or those that this machine's tools make.
    run(tests.env("LRPC_BPF_OBJECT", &rebuilt))?;
    step(&begin, "fuzz: every corpus, and a little beyond");
    fuzz::run_targets(repository, &fuzz::Args::briefly(FUZZ_SECONDS))?;
    step(&begin, "documentation");
    let mut docs = repository.cargo();
    docs.args("doc --quiet --workspace --no-deps --document-private-items".split(' '));
    run(docs.env("RUSTDOCFLAGS", "--deny warnings"))?;
    step(&begin, "everything passed");
    Ok(())
}

fn cargo(repository: &Repository, arguments: &str) -> Result<()> {
    let mut command: Command = repository.cargo();
    run(command.args(arguments.split(' ')))
}

fn step(begin: &Instant, what: &str) {
    println!("== {:4} s  {what}", begin.elapsed().as_secs());
}
