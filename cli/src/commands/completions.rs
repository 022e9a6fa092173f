//! `lrpc completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::Cli;
use crate::exit::{ExitStatus, Outcome};
use crate::output::Output;

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc completions bash > /etc/bash_completion.d/lrpc")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    // A pipe that closes early is an error that `clap_complete` panics on, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lrpc", &mut script);
    output.result(String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Done)
}
