//! `lrpc explain`: the manual page of whatever lrpc prints or reads by a name.

use serde::Serialize;

use crate::exit::{ExitStatus, Failure, Outcome};
use crate::manual::{self, Entry};
use crate::output::{Format, Output};

/// Print the manual page of a diagnostic, a reason, a breaking change, a setting or a rule, or the list of
/// all diagnostics
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc explain frontend-overlap
         lrpc explain L5")]
pub(crate) struct Args {
    /// The name as it is printed: frontend-overlap, no-ready-backend, lrpc.dev/clients, lrpc.toml, R17
    #[arg(value_name = "CODE")]
    code: Option<String>,

    /// List reasons, breaking changes, settings and rules too
    #[arg(long, conflicts_with = "code")]
    all: bool,

    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct EntryView<'a> {
    code: &'a str,
    kind: &'static str,
    severity: Option<&'static str>,
    summary: &'a str,
    since: &'static str,
    page: &'a str,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let entries = match &args.code {
        None if args.all => manual::all(),
        None => manual::diagnostics(),
        Some(code) => vec![manual::find(code).ok_or_else(|| unknown(code))?],
    };
    match args.format {
        Format::Json => output.json(&entries.iter().map(EntryView::of).collect::<Vec<_>>())?,
        Format::Human if args.code.is_some() => {
            let page: String = entries.iter().map(|entry| &*entry.page).collect();
            output.result(match output.line_width() {
                Some(width) => manual::filled(&page, width),
                None => page,
            })?;
        }
        Format::Human => {
            output.prose(list(&entries))?;
            if !args.all {
                output.note("--all lists reasons, breaking changes, settings and rules too");
            }
        }
    }
    Ok(ExitStatus::Done)
}

fn list(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
    let what = |entry: &Entry| entry.severity.map_or(entry.kind.as_str(), |severity| severity.as_str());
    let broad = entries.iter().map(|entry| what(entry).len()).max().unwrap_or_default();
    let line = |entry: &Entry| format!("{:width$}  {:broad$}  {}\n", entry.name, what(entry), entry.summary);
    entries.iter().map(line).collect()
}

fn unknown(code: &str) -> Failure {
    let failure = Failure::new(format!("the manual has no page `{code}`"));
    match manual::nearest(code) {
        Some(near) => failure.help(format!("did you mean `{near}`? `lrpc explain --all` lists all")),
        None => failure.help("`lrpc explain --all` lists all"),
    }
}

impl<'a> EntryView<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            code: &entry.name,
            kind: entry.kind.as_str(),
            severity: entry.severity.map(|severity| severity.as_str()),
            summary: &entry.summary,
            since: entry.since,
            page: &entry.page,
        }
    }
}
