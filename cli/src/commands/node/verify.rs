//! `lrpc verify`: is what the kernel holds what was loaded?

use std::path::PathBuf;

use lrpc_linker::MapSet;
use lrpc_linker::diff::{self, RowChange, Rows};
use lrpc_linker::mapset::ShownRow;
use lrpc_linker::profile::Profile;
use lrpc_loader::node::{Difference, Node, Where};

use super::arguments::NodeDirsArgs;
use super::instance;
use crate::arguments::{InventoryArgs, RulesArgs};
use crate::commands::{link, row};
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
    let node = instance::open(&args.dirs);
    let mut verification = node.verify(map_set).map_err(instance::failure)?;
    if verification.differences.iter().any(|difference| difference.place == Where::Map) {
        verification.differences.extend(rows(&node, linked.map(|linked| linked.map_set)));
    }
    match args.format {
        Format::Json => output.json(&verification)?,
        Format::Human => output.prose(match verification.generation {
            None => "nothing is loaded\n".to_owned(),
            Some(generation) if verification.ok => {
                format!("generation {generation} is as it was loaded\n")
                    + &instance::render_gone(&verification.gone_pods)
            }
            Some(_) => {
                instance::render_differences(&verification.differences)
                    + "help: `lrpc apply` loads a whole set anew, as one transaction\n"
            }
        })?,
    }
    Ok(if verification.ok { ExitStatus::Done } else { ExitStatus::Findings })
}

/// The rows in which what the kernel holds is not what was expected, or not what was loaded. Where one cannot be
/// read, the digests have to do.
fn rows(node: &Node, expected: Option<MapSet>) -> Vec<Difference> {
    let found = || {
        let expected = match expected {
            Some(set) => set,
            None => node.map_set().ok()??,
        };
        let profile = Profile::new(node.status().ok()?.active?.mode);
        let held = Rows::Live(node.dump().ok()?.frontends);
        Some(diff::rows(&Rows::Linked(expected), &held, profile))
    };
    found().unwrap_or_default().iter().map(difference).collect()
}

fn difference(change: &RowChange) -> Difference {
    let said = |shown: Option<&ShownRow>| shown.map_or("no entry".to_owned(), row::outcome);
    Difference {
        place: Where::Map,
        name: change.row().map(row::frontend).unwrap_or_default(),
        expected: said(change.old.as_ref()),
        found: said(change.new.as_ref()),
    }
}
