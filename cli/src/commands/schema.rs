//! `lrpc schema`: the JSON Schemas for editors and pipelines.

use clap::ValueEnum;
use lrpc_schema::json;

use crate::exit::{ExitStatus, Outcome};
use crate::output::Output;

/// Print a JSON Schema for editors and pipelines
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc schema manifest > lrpc.schema.json")]
pub(crate) struct Args {
    /// What the schema describes
    #[arg(value_enum, value_name = "WHAT")]
    what: What,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Policy manifests
    Manifest,
    /// The settings in lrpc.toml
    #[value(name = "lrpc.toml")]
    Config,
    /// What `lrpc check --format json` prints
    Report,
    /// The expectation tables of `lrpc test`
    Test,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    output.result(match args.what {
        What::Manifest => json::MANIFEST,
        What::Config => json::CONFIG,
        What::Report => json::REPORT,
        What::Test => json::TEST,
    })?;
    Ok(ExitStatus::Done)
}
