//! `lrpc check`: every problem of every manifest.

use clap::ValueEnum;

use crate::arguments::{InventoryArgs, ManifestArgs};
use crate::compilation::{self, Compilation};
use crate::exit::{Failure, Outcome};
use crate::inventory;
use crate::output::Output;
use crate::report::checkout::Checkout;
use crate::report::{concise, github, gitlab, human, json, junit, sarif};

/// Check manifests and report every problem
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc check policies --inventory cluster.yaml")]
pub(crate) struct Args {
    #[command(flatten)]
    manifests: ManifestArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    /// End with 1 also for warnings
    #[arg(long)]
    deny_warnings: bool,

    /// How to print the problems
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// How diagnostics are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people, with the text around each problem
    #[default]
    Human,
    /// One line each
    Concise,
    /// For programs; its shape is a promise
    Json,
    /// Workflow commands of GitHub Actions
    Github,
    /// GitLab's Code Quality report
    Gitlab,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, a test for each file
    Junit,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let inventory = inventory::read(&args.inventory.inventory)?;
    let compilation = compilation::compile(&args.manifests, inventory.as_ref())?;
    let reports = &compilation.reports;
    match args.format {
        ReportFormat::Human => {
            output.result(&human::render(reports, output.colors_results()))?;
            output.message(&compilation.summary());
        }
        ReportFormat::Concise => output.result(&concise::render(reports))?,
        ReportFormat::Json => output.json(&json::views(reports))?,
        ReportFormat::Github => output.result(&github::render(reports, &Checkout::current()))?,
        ReportFormat::Gitlab => output.json(&gitlab::issues(reports, &Checkout::current()))?,
        ReportFormat::Sarif => output.json(&sarif::log(reports, &Checkout::current()))?,
        ReportFormat::Junit => output.result(&junit(&compilation, args.deny_warnings)?)?,
    }
    compilation.conclude(args.deny_warnings)
}

fn junit(compilation: &Compilation, deny_warnings: bool) -> Result<String, Failure> {
    let Compilation { reports, files, .. } = compilation;
    junit::render(reports, files, deny_warnings, &Checkout::current())
        .map_err(|error| Failure::new("the report is not XML").because(&error))
}
