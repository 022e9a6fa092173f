//! `lrpc rollback`: an earlier resident generation becomes the active one.

use super::arguments::NodeDirsArgs;
use super::{apply, instance};
use crate::exit::Outcome;
use crate::output::{Format, Output};

/// Make an earlier resident generation the active one
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc rollback --to 6")]
pub(crate) struct Args {
    /// The generation [default: the newest that is earlier than the active one]
    #[arg(long, value_name = "GENERATION")]
    to: Option<u64>,

    #[command(flatten)]
    dirs: NodeDirsArgs,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let applied = instance::open(&args.dirs).rollback(args.to).map_err(instance::failure)?;
    let printed = apply::print(&applied, &[], args.format, output);
    instance::done("the generation is active", printed, output)
}
