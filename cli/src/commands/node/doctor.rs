//! `lrpc doctor`: can this machine run it?

use std::fmt::Write as _;

use lrpc_loader::node::{Check, Verdict};

use super::arguments::NodeArgs;
use super::instance;
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output};

/// Check whether this machine can run lrpc
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc doctor")]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let checks = instance::open(&args.node.dirs).doctor();
    match args.node.format {
        Format::Json => output.json(&checks)?,
        Format::Human => output.prose(checks.iter().map(render).collect::<String>())?,
    }
    let fails = checks.iter().any(|check| check.verdict == Verdict::Fail);
    Ok(if fails { ExitStatus::Findings } else { ExitStatus::Done })
}

fn render(check: &Check) -> String {
    let verdict = match check.verdict {
        Verdict::Ok => "ok  ",
        Verdict::Warn => "warn",
        Verdict::Fail => "FAIL",
    };
    let mut text = format!("{verdict}  {:12} {}\n", check.name, check.found);
    if let Some(fix) = &check.fix {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "      fix: {fix}");
    }
    text
}
