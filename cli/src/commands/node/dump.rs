//! `lrpc dump`: the content of the maps.

use std::fmt::Write as _;

use lrpc_loader::node::Dump;

use super::arguments::NodeArgs;
use super::{counters, instance};
use crate::commands::row;
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output, Text};

/// Show what the maps of the active generation hold
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc dump --format json")]
pub(crate) struct Args {
    /// Show what was counted of each frontend: redirected, dropped, a backend's own, no client's
    #[arg(long)]
    counters: bool,

    #[command(flatten)]
    node: NodeArgs,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let node = instance::open(&args.node.dirs);
    let dump = if args.counters { node.dump_with_counters() } else { node.dump() };
    let dump = dump.map_err(instance::failure)?;
    match args.node.format {
        Format::Json => output.json(&dump)?,
        Format::Human => output.result(render(&dump, output.results().width))?,
    }
    Ok(ExitStatus::Done)
}

fn render(dump: &Dump, width: usize) -> Text {
    let mut text = Text::from(format!("generation {} in slot {}\n", dump.generation, dump.slot));
    for (name, table) in &dump.tables {
        // Writing to a `Text` cannot fail.
        let _ = writeln!(text, "table {name}: {} entries, map {}", table.entries, table.map_id);
    }
    if !dump.frontends.is_empty() {
        text.append(row::table(&dump.frontends, width));
    }
    if let Some(tallies) = &dump.counters {
        text.push("\n").append(counters::by_frontend(tallies, width));
        if let Some(uncounted) = dump.uncounted.filter(|count| *count != 0) {
            text.push(&format!(
                "{uncounted} more were not counted: there are more frontends than places to count them\n"
            ));
        }
    }
    text
}
