//! Results for people: a line for each expectation, below it what is not as expected and why.

use std::fmt::Write as _;

use super::suite::{Suite, TestResult, Unmet};
use crate::output::{Style, Text, counted};

/// Failures of one expectation that are explained; the rest is counted.
const EXPLAINED: usize = 3;

/// Everything, with a summary at the end.
pub(super) fn render(suites: &[Suite]) -> Text {
    let mut text = Text::default();
    for Suite { file, problems, results } in suites {
        // Writing to a `Text` cannot fail, here and below.
        let _ = writeln!(text, "{file}");
        for result in results {
            let (style, verdict) = if result.is_met() { (Style::Good, "ok  ") } else { (Style::Bad, "FAIL") };
            text.push("  ").paint(style, verdict).push(&format!("  {}\n", result.name));
            failures(&mut text, file, result);
            for gap in &result.left_out {
                text.paint(Style::Changed, "        left out:")
                    .push(&format!(" `apply` does not load {gap}\n"));
            }
        }
        for problem in problems {
            let at = problem.at.map(|at| format!(":{at}")).unwrap_or_default();
            text.push("  ").paint(Style::Bad, "error:");
            let _ = writeln!(text, " {file}{at}: {}", problem.message);
            if let Some(help) = &problem.help {
                let _ = writeln!(text, "    help: {help}");
            }
        }
        text.push("\n");
    }
    text.push(&summary(suites));
    text
}

fn failures(text: &mut Text, file: &str, result: &TestResult) {
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
    let results = || suites.iter().flat_map(|suite| &suite.results);
    let (met, all) = (results().filter(|result| result.is_met()).count(), results().count());
    let mut text = match all {
        0 => "nothing was tested".to_owned(),
        all => format!(
            "{met} of {} met, {} looked at",
            counted(all, "expectation", "expectations"),
            counted(results().map(|result| result.connections).sum(), "connection", "connections")
        ),
    };
    let problems: usize = suites.iter().map(|suite| suite.problems.len()).sum();
    if problems > 0 {
        text += &format!("; {} tables from being run", counted(problems, "mistake keeps", "mistakes keep"));
    }
    text + "\n"
}
