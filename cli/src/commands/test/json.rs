//! Results for programs; `docs/testing.md` promises the shape.

use lrpc_linker::profile::Gap;
use serde::Serialize;

use super::suite::{Suite, TestResult, Unmet};
use super::table::Problem;
use crate::commands::trace::TraceView;

#[derive(Serialize)]
pub(super) struct ReportView<'a> {
    /// Expectations that are met.
    passed: usize,
    /// Expectations that are not.
    failed: usize,
    /// Mistakes that keep tables from being run.
    errors: usize,
    files: Vec<FileView<'a>>,
}

#[derive(Serialize)]
struct FileView<'a> {
    file: &'a str,
    errors: Vec<ErrorView<'a>>,
    tests: Vec<TestView<'a>>,
}

#[derive(Serialize)]
struct ErrorView<'a> {
    message: &'a str,
    line: Option<u64>,
    column: Option<u64>,
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct TestView<'a> {
    name: &'a str,
    line: u64,
    column: u64,
    passed: bool,
    /// Connections that were looked at.
    connections: usize,
    failures: Vec<FailureView<'a>>,
    left_out: &'a [Gap],
}

#[derive(Serialize)]
struct FailureView<'a> {
    message: &'a str,
    node: Option<&'a str>,
    flow: Option<&'a str>,
    trace: Option<&'a TraceView>,
}

/// The whole report.
pub(super) fn view(suites: &[Suite]) -> ReportView<'_> {
    let results = || suites.iter().flat_map(|suite| &suite.results);
    let passed = results().filter(|result| result.is_met()).count();
    ReportView {
        passed,
        failed: results().count() - passed,
        errors: suites.iter().map(|suite| suite.problems.len()).sum(),
        files: suites.iter().map(file).collect(),
    }
}

fn file(suite: &Suite) -> FileView<'_> {
    FileView {
        file: &suite.file,
        errors: suite.problems.iter().map(error).collect(),
        tests: suite.results.iter().map(test).collect(),
    }
}

fn error(problem: &Problem) -> ErrorView<'_> {
    ErrorView {
        message: &problem.message,
        line: problem.at.map(|at| at.line),
        column: problem.at.map(|at| at.column),
        help: problem.help.as_deref(),
    }
}

fn test(result: &TestResult) -> TestView<'_> {
    TestView {
        name: &result.name,
        line: result.at.line,
        column: result.at.column,
        passed: result.is_met(),
        connections: result.connections,
        failures: result.failures.iter().map(failure).collect(),
        left_out: &result.left_out,
    }
}

fn failure(unmet: &Unmet) -> FailureView<'_> {
    let Unmet { message, traced } = unmet;
    FailureView {
        message,
        node: traced.as_ref().map(|answer| answer.node.as_str()),
        flow: traced.as_ref().map(|answer| answer.flow.as_str()),
        trace: traced.as_ref().map(|answer| &answer.view),
    }
}
