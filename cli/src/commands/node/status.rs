//! `lrpc status`: what is active, read back from the kernel.

use super::arguments::NodeArgs;
use super::instance;
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output};

/// Show what is active on this node
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc status --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let status = instance::open(&args.node.dirs).status().map_err(instance::failure)?;
    match args.node.format {
        Format::Json => output.json(&status)?,
        Format::Human => output.prose(instance::render(&status))?,
    }
    let is_sound = status.active.is_some() && status.differences.is_empty();
    Ok(if is_sound { ExitStatus::Done } else { ExitStatus::Findings })
}
