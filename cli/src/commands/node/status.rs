//! `lrpc status`: what is active, read back from the kernel.

use super::arguments::NodeArgs;
use super::{counters, instance};
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output, Text};

/// Show what is active on this node
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc status --format json")]
pub(crate) struct Args {
    /// Show what was counted of each policy: redirected, dropped, a backend's own, no client's
    #[arg(long)]
    counters: bool,

    #[command(flatten)]
    node: NodeArgs,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let node = instance::open(&args.node.dirs);
    let status = if args.counters { node.status_with_counters() } else { node.status() };
    let status = status.map_err(instance::failure)?;
    match args.node.format {
        Format::Json => output.json(&status)?,
        Format::Human => {
            output.prose(instance::render(&status))?;
            if let Some(tallies) = &status.counters {
                let mut text = Text::from("\n");
                text.append(counters::by_policy(tallies, output.results().width));
                output.result(text)?;
            }
        }
    }
    let is_sound = status.active.is_some() && status.differences.is_empty();
    Ok(if is_sound { ExitStatus::Done } else { ExitStatus::Findings })
}
