//! `lrpc dump`: the content of the maps.

use std::fmt::Write as _;

use lrpc_loader::node::Dump;

use super::arguments::NodeArgs;
use super::instance;
use crate::commands::row;
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output};

/// Show what the maps of the active generation hold
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc dump --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let dump = instance::open(&args.node.dirs).dump().map_err(instance::failure)?;
    match args.node.format {
        Format::Json => output.json(&dump)?,
        Format::Human => output.result(render(&dump))?,
    }
    Ok(ExitStatus::Done)
}

fn render(dump: &Dump) -> String {
    let mut text = format!("generation {} in slot {}\n", dump.generation, dump.slot);
    for (name, table) in &dump.tables {
        // Writing to a `String` cannot fail, here and below.
        let _ = writeln!(text, "table {name}: {} entries, map {}", table.entries, table.map_id);
    }
    dump.frontends.iter().fold(text, |text, shown| text + &row::render(shown))
}
