//! `lrpc unload`: everything of lrpc's leaves the kernel.

use super::arguments::NodeArgs;
use super::instance;
use crate::exit::Outcome;
use crate::output::{Format, Output};

/// Detach and remove everything of lrpc's from this node
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc unload")]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let unloaded = instance::open(&args.node.dirs).unload().map_err(instance::failure)?;
    instance::tell_troubles("nothing is redirected any more", &unloaded.troubles, output);
    let removed = unloaded.removed;
    let printed = match args.node.format {
        Format::Human => {
            output.result(format!("removed {} links and {} maps\n", removed.links, removed.maps))
        }
        Format::Json => output.json(&unloaded),
    };
    instance::done("everything is removed", printed, output)
}
