//! Chores of this repository, as `cargo xtask …`: what cargo alone does not do, without a shell to learn.
//!
//! Nothing here is part of the product.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program for a terminal")]

mod bless;
mod ebpf;
mod repository;
mod tidy;

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
    /// Rebuild the kernel programs and record what they were built from
    Ebpf(ebpf::Args),
    /// Install what rebuilding the kernel programs needs
    Toolchain,
    /// Check what neither the compiler nor the tests see
    Tidy(tidy::Args),
    /// Rewrite the goldens below testdata/cases
    Bless,
}

fn main() -> ExitCode {
    let chore = Cli::parse().chore;
    let done = Repository::find().and_then(|repository| match chore {
        Chore::Ebpf(args) => ebpf::run(&repository, &args),
        Chore::Toolchain => ebpf::toolchain::install(&repository).map(drop),
        Chore::Tidy(args) => tidy::run(&repository, &args),
        Chore::Bless => bless::run_cases(&repository),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
