//! `lrpc history`: what was done on this node.

use lrpc_loader::state::{Action, Event, Outcome as ActionOutcome};

use super::arguments::NodeArgs;
use super::instance;
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output};

/// Show what was applied, rolled back and unloaded on this node
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc history --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let events = instance::open(&args.node.dirs).history().map_err(instance::failure)?;
    match args.node.format {
        Format::Json => output.json(&events)?,
        Format::Human if events.is_empty() => output.note("nothing has been loaded here"),
        Format::Human => output.prose(events.iter().map(line).collect::<String>())?,
    }
    Ok(ExitStatus::Done)
}

fn line(event: &Event) -> String {
    let Event { generation, at, image, resident, error, .. } = event;
    let action = match event.action {
        Action::Apply => "apply",
        Action::Rollback => "rollback",
        Action::Unload => "unload",
    };
    let result = match event.result {
        ActionOutcome::Ok => "ok",
        ActionOutcome::Failed => "failed",
    };
    let resident = if *resident { "  resident" } else { "" };
    let error = error.as_ref().map(|error| format!("  {error}")).unwrap_or_default();
    format!("{at}  {action:8}  generation {generation}  {image}  {result}{resident}{error}\n")
}
