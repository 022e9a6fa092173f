//! `lrpc test`: tables of expectations that a team keeps beside its policies, held against inventories.
//!
//! ```text
//! file ─tree─▶ YAML with places ─table─▶ tables ─suite─▶ verdicts ──▶ human, json, junit
//! ```
//! What an expectation means and whether it is met is said by [`lrpc_linker::expect`].

mod human;
mod json;
mod junit;
mod suite;
mod table;
mod tree;

use std::path::PathBuf;

use clap::ValueEnum;

use self::suite::Suite;
use crate::arguments::{ModeArgs, RulesArgs};
use crate::compilation::Rules;
use crate::exit::{ExitStatus, Failure, Outcome};
use crate::output::Output;

/// Hold tables of expected decisions against policies and inventories
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc test policies/*/tests/*.yaml --format junit

A table names policies, inventories, and what is expected of flows; paths are relative to its file:

  policies: .
  inventories: cluster.yaml
  expect:
    - flow: tcp from team-a/{app=web} to 169.254.169.254:80
      decision: redirect
      backends: kube-system/{app=kiam}
    - flow: tcp from host to 169.254.169.254:80
      decision: original")]
pub(crate) struct Args {
    /// Files of tables; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    rules: RulesArgs,

    #[command(flatten)]
    mode: ModeArgs,

    /// How to print the results
    #[arg(long, value_enum, default_value_t)]
    format: TestFormat,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum TestFormat {
    /// For people: a line each, and why where one is not met
    #[default]
    Human,
    /// For programs; its shape is a promise
    Json,
    /// JUnit XML, a test for each expectation
    Junit,
}

/// Ends with 1 where an expectation is not met.
pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let suites: Vec<Suite> = args
        .files
        .iter()
        .map(|file| Suite::run(file, Rules::of(&args.rules), args.mode.profile(), output))
        .collect();
    match args.format {
        TestFormat::Human => output.prose(human::render(&suites))?,
        TestFormat::Json => output.json(&json::view(&suites))?,
        TestFormat::Junit => {
            let report = junit::render(&suites);
            output.result(report.map_err(|error| Failure::new("the report is not XML").because(&error))?)?;
        }
    }
    let broken = suites.iter().any(|suite| !suite.problems.is_empty());
    let missed = suites.iter().flat_map(|suite| &suite.results).any(|result| !result.is_met());
    Ok(match (broken, missed) {
        (true, _) => ExitStatus::CouldNotRun,
        (false, true) => ExitStatus::Findings,
        (false, false) => ExitStatus::Done,
    })
}
