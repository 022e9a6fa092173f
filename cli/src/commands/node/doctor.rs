//! `lrpc doctor`: can this machine run it, and does what is loaded act?

use std::fmt::Write as _;
use std::io;
use std::process::Command;

use lrpc_loader::node::{Check, Verdict};
use lrpc_loader::probe;

use super::arguments::NodeArgs;
use super::instance;
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output};

/// Check whether this machine can run lrpc, and whether what is loaded acts
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc doctor")]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,

    /// Once a line is read, connect to the reserved frontends and print what came of it as JSON: `doctor` starts
    /// itself so, in a cgroup for a moment
    #[arg(long, hide = true)]
    ask: bool,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    if args.ask {
        return ask(output);
    }
    let checks = instance::open(&args.node.dirs).doctor(&asker);
    match args.node.format {
        Format::Json => output.json(&checks)?,
        Format::Human => output.prose(checks.iter().map(render).collect::<String>())?,
    }
    let fails = checks.iter().any(|check| check.verdict == Verdict::Fail);
    Ok(if fails { ExitStatus::Findings } else { ExitStatus::Done })
}

/// This program again, as it runs, whatever lies at its path by now.
fn asker() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(["doctor", "--ask"]);
    command
}

fn ask(output: Output) -> Outcome {
    // No line means that whoever started this has not put it where it was to be.
    let is_told = io::stdin().read_line(&mut String::new()).is_ok_and(|length| length > 0);
    if is_told {
        output.json(&probe::ask())?;
    }
    Ok(ExitStatus::Done)
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
