//! `cargo xtask bench`: what the release build costs on generated input, in one run with what it is compared to.
//!
//! Figures of a shared machine are worth their ratios. Nothing here passes or fails.

mod compile;
mod connect;
mod generate;
mod measure;
mod replace;

use std::path::{Path, PathBuf};

use crate::repository::{self, Repository, Result};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Bench {
    /// `lrpc compile` and `check`: throughput, memory, the rerun after a change, the cold start
    Compile(compile::Args),
    /// What a redirect costs a socket, beside none, an empty program and nft; in a sandbox, so as root
    Connect(connect::Args),
    /// `lrpc apply` of a set in the place of another, beside `nft -f`; in a sandbox, so as root
    Replace(replace::Args),
}

pub(crate) fn run(repository: &Repository, bench: &Bench) -> Result<()> {
    match bench {
        Bench::Compile(args) => compile::run(repository, args),
        Bench::Connect(args) => connect::run(repository, args),
        Bench::Replace(args) => replace::run(repository, args),
    }
}

/// The binary that is given, else the release build of this repository.
fn binary(repository: &Repository, given: Option<&Path>) -> Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_path_buf());
    }
    repository::run(repository.cargo().args(["build", "--release", "--package", "lrpc"]))?;
    Ok(repository.target().join("release/lrpc"))
}
