//! `lrpc unload`: everything of lrpc's leaves the kernel.

use lrpc_loader::node::Removed;
use serde::Serialize;

use crate::arguments::NodeDirsArgs;
use crate::commands::node;
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output};

/// Detach and remove everything of lrpc's from this node
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc unload")]
pub(crate) struct Args {
    #[command(flatten)]
    dirs: NodeDirsArgs,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct UnloadView {
    removed: Removed,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let removed = node::open(&args.dirs).unload().map_err(node::failure)?;
    match args.format {
        Format::Json => output.json(&UnloadView { removed })?,
        Format::Human => {
            output.result(&format!("removed {} links and {} maps\n", removed.links, removed.maps))?;
        }
    }
    Ok(ExitStatus::Done)
}
