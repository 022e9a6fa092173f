//! `cargo xtask ebpf`: the committed object, and the proof that it is what its sources say.
//!
//! The object is committed so that a build needs nothing but Rust. What keeps it honest is `--check`: the
//! sources are those it was built from, and rebuilding gives the same bytes where the tools are the same.

mod build;
mod provenance;
mod strip;
pub(crate) mod toolchain;

use std::path::PathBuf;

use clap::Parser;

use crate::ebpf::provenance::{Built, Provenance};
use crate::repository::{Failure, Repository, Result, read, read_text, write};

const OBJECT: &str = "ebpf/object/lrpc.bpf.o";
const PROVENANCE: &str = "ebpf/object/provenance.toml";

#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Change nothing; fail where the committed object is stale or cannot be reproduced
    #[arg(long)]
    check: bool,

    /// Also write the rebuilt object here
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    /// The check, with the rebuilt object written to `out`.
    pub(crate) fn check(out: PathBuf) -> Self {
        Self { check: true, out: Some(out) }
    }
}

/// Rebuilds the object, and commits to it or compares it with the committed one.
pub(crate) fn run(repository: &Repository, args: &Args) -> Result<()> {
    let sources = build::sources(repository)?;
    let recorded = if args.check {
        let recorded = Provenance::parse(&read_text(&repository.path(PROVENANCE))?)?;
        recorded.fits(&sources, &read(&repository.path(OBJECT))?)?;
        Some(recorded)
    } else {
        None
    };

    let toolchain = toolchain::install(repository)?;
    let object = strip::debug_info(&build::build(repository, &toolchain)?)?;
    if let Some(out) = &args.out {
        write(out, &object)?;
    }
    let built = Provenance::new(&sources, &object, toolchain.versions()?);

    let Some(recorded) = recorded else {
        write(&repository.path(OBJECT), &object)?;
        write(&repository.path(PROVENANCE), built.to_toml()?.as_bytes())?;
        println!("{OBJECT}: {} bytes", object.len());
        return Ok(());
    };
    match recorded.reproduced(&built) {
        Built::Same => println!("{OBJECT}: fresh, and the same bytes from source"),
        Built::ByOtherTools(difference) => {
            println!("{OBJECT}: fresh; the bytes were not compared, since the tools differ ({difference})");
        }
        Built::Different => {
            return Err(Failure(format!(
                "rebuilding `{OBJECT}` with the recorded tools gives other bytes; run `cargo xtask ebpf` and \
                 look into why"
            )));
        }
    }
    Ok(())
}
