//! `lrpc explain`: the manual page of a diagnostic.

use lrpc_schema::diagnostic::Page;
use serde::Serialize;

use crate::exit::{ExitStatus, Failure, Outcome};
use crate::output::{Format, Output};
use crate::report::pages;

/// Print the manual page of a diagnostic, or the list of all
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc explain frontend-overlap")]
pub(crate) struct Args {
    /// The code in square brackets of a diagnostic
    #[arg(value_name = "CODE")]
    code: Option<String>,

    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct PageView {
    code: &'static str,
    severity: &'static str,
    summary: &'static str,
    since: &'static str,
    page: &'static str,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let pages = match &args.code {
        None => pages::all(),
        Some(code) => vec![pages::find(code).ok_or_else(|| unknown(code))?],
    };
    match args.format {
        Format::Json => output.json(&pages.iter().map(PageView::of).collect::<Vec<_>>())?,
        Format::Human if args.code.is_some() => {
            output.result(pages.iter().map(|page| page.page).collect::<String>())?;
        }
        Format::Human => output.result(list(&pages))?,
    }
    Ok(ExitStatus::Done)
}

fn list(pages: &[Page]) -> String {
    let width = pages.iter().map(|page| page.code.as_str().len()).max().unwrap_or_default();
    pages
        .iter()
        .map(|page| format!("{:width$}  {:7}  {}\n", page.code, page.severity.as_str(), page.summary))
        .collect()
}

fn unknown(code: &str) -> Failure {
    let failure = Failure::new(format!("there is no diagnostic `{code}`"));
    match pages::nearest(code) {
        Some(near) => failure.help(format!("did you mean `{near}`? `lrpc explain` lists all")),
        None => failure.help("`lrpc explain` lists all"),
    }
}

impl PageView {
    fn of(page: &Page) -> Self {
        let Page { code, severity, summary, since, page } = *page;
        Self { code: code.as_str(), severity: severity.as_str(), summary, since, page }
    }
}
