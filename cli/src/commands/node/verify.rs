//! `lrpc verify`: is what the kernel holds what was loaded?

use std::path::PathBuf;

use super::arguments::NodeDirsArgs;
use super::instance;
use crate::arguments::{InventoryArgs, RulesArgs};
use crate::commands::link;
use crate::exit::{ExitStatus, Failure, Outcome};
use crate::inventory;
use crate::output::{Format, Output};
use crate::set;

/// Compare maps, programs and links in the kernel with what was loaded
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc verify policies.lrpc --inventory cluster.yaml --node worker-1")]
pub(crate) struct Args {
    /// Compare also with what this set links to (image, manifests or revision); needs --node and --inventory
    #[arg(value_name = "SET", requires = "node")]
    set: Option<PathBuf>,

    #[command(flatten)]
    rules: RulesArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    /// The node, by its name in the inventory
    #[arg(long, value_name = "N", requires = "set")]
    node: Option<String>,

    #[command(flatten)]
    dirs: NodeDirsArgs,

    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let linked = match (&args.set, &args.node) {
        (Some(path), Some(node)) => {
            let image = set::require_path(path, &args.rules, output)?;
            let inventory = inventory::require(&args.inventory.inventory)?.warn(output);
            Some(link::link(&image, &inventory, node, &[])?)
        }
        _ if !args.inventory.inventory.is_empty() => {
            return Err(
                Failure::new("an inventory alone says nothing").help("name the image to link with it")
            );
        }
        _ => None,
    };
    let map_set = linked.as_ref().map(|linked| &linked.map_set);
    let verification = instance::open(&args.dirs).verify(map_set).map_err(instance::failure)?;
    match args.format {
        Format::Json => output.json(&verification)?,
        Format::Human => output.prose(match verification.generation {
            None => "nothing is loaded\n".to_owned(),
            Some(generation) if verification.ok => format!("generation {generation} is as it was loaded\n"),
            Some(_) => instance::render_differences(&verification.differences),
        })?,
    }
    Ok(if verification.ok { ExitStatus::Done } else { ExitStatus::Findings })
}
