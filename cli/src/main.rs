//! The `lrpc` command: reads arguments, manifests and inventories, calls the compiler and the loader, prints
//! what they say and picks the exit code.
//!
//! It decides nothing about policies. Each command is one file in [`commands`].
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod compilation;
mod config;
mod exit;
mod exit_codes;
mod inventory;
mod manifests;
mod manual;
mod output;
mod parallel;
mod report;
mod set;
mod unchanged;

use std::process::ExitCode;

use clap::{FromArgMatches as _, Parser};

use crate::commands::Command;
use crate::exit::ExitStatus;
use crate::output::{Color, Output};

/// Compiler and atomic loader for Kubernetes Local Redirect Policies
#[derive(Debug, Parser)]
#[command(name = "lrpc", version, about, propagate_version = true)]
#[cfg_attr(
    not(target_os = "linux"),
    command(after_help = "apply, status, verify and the other commands about a node are Linux only.")
)]
struct Cli {
    /// When to colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Everywhere"
    )]
    color: Color,

    /// Say nothing but results, diagnostics and why a command could not run
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    quiet: bool,

    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let matches = exit_codes::command().try_get_matches();
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        // What is wrong with an argument quotes it; a help is our own text.
        Err(error) if error.use_stderr() => {
            Output::new(Color::Never, false).message(error.render().to_string());
            return ExitStatus::CouldNotRun.into();
        }
        Err(error) => error.exit(),
    };
    let output = Output::new(cli.color, cli.quiet);
    let status = cli.command.run(output).unwrap_or_else(|failure| {
        output.message(failure.render());
        failure.exit_status()
    });
    status.into()
}
