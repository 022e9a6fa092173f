//! Chores of this repository, as `cargo xtask …`: what cargo alone does not do, without a shell to learn.
//!
//! Nothing here is part of the product.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program for a terminal")]

mod bench;
mod bless;
mod demo;
mod ebpf;
mod fuzz;
mod packages;
mod repository;
mod suite;
mod tidy;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::repository::Repository;

/// Chores of the lrpc repository
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Build lrpc and show the main job in a sandbox
    Demo,
    /// Install what the tests need and run all of them
    Test,
    /// Rebuild the kernel programs and record what they were built from
    Ebpf(ebpf::Args),
    /// Install what rebuilding the kernel programs needs
    Toolchain,
    /// Check what neither the compiler nor the tests see
    Tidy(tidy::Args),
    /// Rewrite the goldens below testdata/cases
    Bless,
    /// Replay the fuzz corpora and look for new input
    Fuzz(fuzz::Args),
    /// Run the core of the kernel suite on older kernels, in virtual machines
    Vm(vm::Args),
    /// Measure the release build on generated input
    #[command(subcommand)]
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    testkit::serve_if_client();
    let chore = Cli::parse().chore;
    let done = Repository::find().and_then(|repository| match chore {
        Chore::Demo => demo::show(&repository),
        Chore::Test => suite::run_all(&repository),
        Chore::Ebpf(args) => ebpf::run(&repository, &args),
        Chore::Toolchain => ebpf::toolchain::install(&repository).map(drop),
        Chore::Tidy(args) => tidy::run(&repository, &args),
        Chore::Bless => bless::run_cases(&repository),
        Chore::Fuzz(args) => fuzz::run_targets(&repository, &args),
        Chore::Vm(args) => vm::run(&repository, &args),
        Chore::Bench(bench) => bench::run(&repository, &bench),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
