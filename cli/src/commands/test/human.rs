//! Results for people: a line for each expectation, below it what is not as expected and why.

use std::fmt::Write as _;

use super::suite::{Suite, TestResult, Unmet};

/// Failures of one expectation that are explained; the rest is counted.
const EXPLAINED: usize = 3;

/// Everything, with a summary at the end.
pub(super) fn render(suites: &[Suite], colors: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colors { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let mut text = String::new();
    for Suite { file, problems, results } in suites {
        // Writing to a `String` cannot fail, here and below.
        let _ = writeln!(text, "{file}");
        for result in results {
            let verdict = if result.is_met() { paint("32", "ok  ") } else { paint("1;31", "FAIL") };
            let _ = writeln!(text, "  {verdict}  {}", result.name);
            failures(&mut text, file, result);
        }
        for problem in problems {
            let at = problem.at.map(|at| format!(":{at}")).unwrap_or_default();
            let _ = writeln!(text, "  {} {file}{at}: {}", paint("1;31", "error:"), problem.message);
            if let Some(help) = &problem.help {
                let _ = writeln!(text, "    help: {help}");
            }
        }
        text.push('\n');
    }
    text + &summary(suites)
}

fn failures(text: &mut String, file: &str, result: &TestResult) {
    if !result.is_met() {
        let _ = writeln!(text, "        at {file}:{}", result.at);
    }
    for Unmet { message, traced } in result.failures.iter().take(EXPLAINED) {
        let _ = writeln!(text, "        {message}");
        let explained = traced.iter().flat_map(|answer| answer.explained.lines());
        for line in explained {
            let _ = writeln!(text, "          {line}");
        }
    }
    if let Some(more) = result.failures.len().checked_sub(EXPLAINED).filter(|more| *more > 0) {
        let _ = writeln!(
            text,
            "        and {more} more of {} connections; --format json has all",
            result.connections
        );
    }
}

/// How many expectations are met, of how many connections.
fn summary(suites: &[Suite]) -> String {
    let count = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let results = || suites.iter().flat_map(|suite| &suite.results);
    let (met, all) = (results().filter(|result| result.is_met()).count(), results().count());
    let mut text = match all {
        0 => "nothing was tested".to_owned(),
        all => format!(
            "{met} of {} met, {} looked at",
            count(all, "expectation"),
            count(results().map(|result| result.connections).sum(), "connection")
        ),
    };
    let problems: usize = suites.iter().map(|suite| suite.problems.len()).sum();
    if problems > 0 {
        text += &format!("; {} keep tables from being run", count(problems, "mistake"));
    }
    text + "\n"
}
