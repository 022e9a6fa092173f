//! `lrpc rollback`: an earlier resident generation becomes the active one.

use lrpc_schema::records::Generation;

use super::arguments::{ExistingArgs, NodeDirsArgs};
use super::{apply, instance};
use crate::exit::Outcome;
use crate::output::{Format, Output};

/// Make an earlier resident generation the active one
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc rollback --to 6")]
pub(crate) struct Args {
    /// The generation [default: the one that was active before the present one]
    #[arg(long, value_name = "GENERATION", value_parser = generation)]
    to: Option<Generation>,

    #[command(flatten)]
    existing: ExistingArgs,

    #[command(flatten)]
    dirs: NodeDirsArgs,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn generation(text: &str) -> Result<Generation, String> {
    let number = text.parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
    Generation::new(number).ok_or_else(|| "generations count from 1 to 2^48 - 1".to_owned())
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let existing = args.existing.existing();
    let applied = instance::open(&args.dirs).rollback(args.to, existing).map_err(instance::failure)?;
    let printed = apply::print(&applied, apply::Found::default(), args.format, output);
    instance::done("the generation is active", printed, output)
}
