//! `lrpc check`: every problem of every manifest.

use std::path::Path;

use clap::ValueEnum;

use crate::arguments::{InventoryArgs, ManifestArgs};
use crate::compilation::{self, Compilation};
use crate::config;
use crate::exit::{ExitStatus, Failure, Outcome};
use crate::inventory;
use crate::manifests;
use crate::output::Output;
use crate::report::checkout::Checkout;
use crate::report::human::{self, Detail};
use crate::report::{concise, github, gitlab, json, junit, rdjson, sarif};
use crate::unchanged::Unchanged;

/// Check manifests and report every problem
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc check policies --inventory cluster.yaml")]
pub(crate) struct Args {
    #[command(flatten)]
    manifests: ManifestArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    /// Report only what concerns files that have changed since this branch left the git revision REV, knowing
    /// all the others; everything, where the settings or the inventory have changed
    #[arg(long, value_name = "REV")]
    changed_since: Option<String>,

    /// End with 1 also for warnings
    #[arg(long)]
    deny_warnings: bool,

    /// End with 0 whatever is found; still with 2 where something could not be read
    #[arg(long, conflicts_with = "deny_warnings")]
    exit_zero: bool,

    /// Show each of many diagnostics of one kind
    #[arg(long)]
    all: bool,

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
    /// The same, one line each
    Jsonl,
    /// Reviewdog's, for comments on any code host
    Rdjson,
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
    let mut compilation = compilation::compile(&args.manifests, inventory.as_ref())?;
    let left_out = match &args.changed_since {
        Some(revision) => keep_changed(&mut compilation, args, revision)?,
        None => 0,
    };
    let reports = &compilation.reports;
    match args.format {
        ReportFormat::Human => {
            output.result(human::render(reports, Detail::asked(args.all), output.results()))?;
            output.note(compilation.summary());
            if left_out > 0 {
                output.note(format!("{left_out} more where nothing has changed"));
            }
        }
        ReportFormat::Concise => output.result(concise::render(reports))?,
        ReportFormat::Json => output.json(&json::views(reports))?,
        ReportFormat::Jsonl => output.json_lines(&json::views(reports))?,
        ReportFormat::Rdjson => output.json(&rdjson::result(reports, &Checkout::current()))?,
        ReportFormat::Github => output.result(github::render(reports, &Checkout::current()))?,
        ReportFormat::Gitlab => output.json(&gitlab::issues(reports, &Checkout::current()))?,
        ReportFormat::Sarif => output.json(&sarif::log(reports, &Checkout::current()))?,
        ReportFormat::Junit => output.result(junit(&compilation, args.deny_warnings)?)?,
    }
    let status = compilation.conclude(args.deny_warnings)?;
    Ok(if args.exit_zero { ExitStatus::Done } else { status })
}

/// Leaves out what was reported about files that are as they were, and says how much.
fn keep_changed(compilation: &mut Compilation, args: &Args, revision: &str) -> Result<usize, Failure> {
    let unchanged = Unchanged::since(revision)?;
    let settings = config::path(args.manifests.rules.config.as_deref());
    let (inventories, _) = manifests::find(&args.inventory.inventory);
    if settings.iter().chain(&inventories).all(|file| unchanged.has(file)) {
        return Ok(compilation.keep(|file| !unchanged.has(Path::new(file))));
    }
    Ok(0)
}

fn junit(compilation: &Compilation, deny_warnings: bool) -> Result<String, Failure> {
    let Compilation { reports, files, .. } = compilation;
    junit::render(reports, files, deny_warnings, &Checkout::current())
        .map_err(|error| Failure::new("the report is not XML").because(&error))
}
