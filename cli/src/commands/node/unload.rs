//! `lrpc unload`: everything of lrpc's leaves the kernel.

use lrpc_loader::node::Removed;
use serde::Serialize;

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

#[derive(Serialize)]
struct UnloadView {
    removed: Removed,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let removed = instance::open(&args.node.dirs).unload().map_err(instance::failure)?;
    let printed = match args.node.format {
        Format::Human => {
            output.result(format!("removed {} links and {} maps\n", removed.links, removed.maps))
        }
        Format::Json => output.json(&UnloadView { removed }),
    };
    instance::done("everything is removed", printed, output)
}
