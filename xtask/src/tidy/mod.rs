//! `cargo xtask tidy`: rules of this repository that neither the compiler nor the tests see.
//!
//! Each check is a pure function from what it read to complaints, so that its test can show it a bad
//! fixture.

mod abi;
mod goldens;
mod layering;

use clap::Parser;

use crate::repository::{Failure, Repository, Result};

#[derive(Debug, Default, Parser)]
pub(crate) struct Args {
    /// Record the map records as they are, after raising their version
    #[arg(long)]
    accept_records: bool,

    /// With --accept-records: the version stays, since no byte in a map changes its meaning
    #[arg(long, requires = "accept_records")]
    same_layout: bool,
}

type Check = fn(&Repository) -> Result<Vec<String>>;

const CHECKS: [(&str, Check); 3] =
    [("records", abi::check), ("layering", layering::check), ("goldens", goldens::check)];

/// Runs every check and prints every complaint.
pub(crate) fn run(repository: &Repository, args: &Args) -> Result<()> {
    if args.accept_records {
        return abi::accept(repository, args.same_layout);
    }
    let mut found = 0_usize;
    for (name, check) in CHECKS {
        let complaints = check(repository)?;
        for complaint in &complaints {
            eprintln!("tidy[{name}]: {complaint}");
        }
        found += complaints.len();
    }
    if found == 0 { Ok(()) } else { Err(Failure(format!("the repository is not tidy: {found} found"))) }
}
