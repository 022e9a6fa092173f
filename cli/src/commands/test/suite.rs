//! The tables of one file, and what came of them.

use std::io;
use std::path::{Path, PathBuf};

use lrpc_compiler::Source;
use lrpc_linker::Linker;
use lrpc_linker::expect::{Cluster, Miss, Traced};
use lrpc_linker::profile::{Gap, Profile};

use super::table::{self, Problem, Row, Table};
use super::tree::Place;
use crate::commands::trace::{self, TraceView};
use crate::compilation::Rules;
use crate::exit::Failure;
use crate::inventory;
use crate::manifests;
use crate::output::Output;
use crate::parallel;
use crate::report::human::{self, Detail};
use crate::set;

/// A file of tables that was run.
pub(super) struct Suite {
    pub(super) file: String,
    /// What keeps it from being run; empty where every table was.
    pub(super) problems: Vec<Problem>,
    pub(super) results: Vec<TestResult>,
}

/// What came of one expectation.
pub(super) struct TestResult {
    pub(super) name: String,
    pub(super) at: Place,
    /// Connections that were looked at.
    pub(super) connections: usize,
    /// What is not as expected.
    pub(super) failures: Vec<Unmet>,
    /// What the data path in this mode does not carry of it.
    pub(super) left_out: Vec<Gap>,
}

/// Something that is not as expected.
pub(super) struct Unmet {
    pub(super) message: String,
    /// The connection; `None` where one is missing.
    pub(super) traced: Option<Answer>,
}

/// The answer for one connection.
pub(super) struct Answer {
    pub(super) node: String,
    pub(super) flow: String,
    pub(super) view: TraceView,
    /// The answer in words.
    pub(super) explained: String,
}

impl TestResult {
    pub(super) fn is_met(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Suite {
    /// Reads a file and runs its tables.
    pub(super) fn run(file: &Path, rules: Rules<'_>, profile: Profile, output: Output) -> Self {
        let mut suite = Self { file: file.display().to_string(), problems: Vec::new(), results: Vec::new() };
        let text = match contents(file) {
            Ok(text) => text,
            Err(error) => {
                suite.problems.push(Problem {
                    at: None,
                    message: format!("it cannot be read: {error}"),
                    help: None,
                });
                return suite;
            }
        };
        let folder = file.parent().unwrap_or(Path::new(""));
        match table::read(&text) {
            Ok(tables) => tables.iter().for_each(|table| suite.table(table, folder, rules, profile, output)),
            Err(problems) => suite.problems = problems,
        }
        suite
    }

    fn table(&mut self, table: &Table, folder: &Path, rules: Rules<'_>, profile: Profile, output: Output) {
        let below =
            |paths: &[String]| -> Vec<PathBuf> { paths.iter().map(|path| folder.join(path)).collect() };
        let image = set::read_all(&below(&table.policies), rules).map_err(|unusable| {
            output.message(human::render(&unusable.reports, Detail::BESIDE, output.messages()));
            unusable.failure
        });
        let inventory = inventory::require(&below(&table.inventories)).map(|given| given.warn(output));
        let mut usable = |at, failure: Failure| {
            let help = failure.remedy().map(str::to_owned);
            self.problems.push(Problem { at: Some(at), message: failure.message(), help });
        };
        let image = image.map_err(|failure| usable(table.policies_at, failure));
        let inventory = inventory.map_err(|failure| usable(table.inventories_at, failure));
        let (Ok(image), Ok(inventory)) = (image, inventory) else { return };
        let linker = Linker::new(&image, &inventory, None);
        let names: Vec<&str> = inventory.nodes().map(|node| &*node.name).collect();
        let linked = parallel::map(names, |name| Some((name, linker.link(name).ok()?.map_set)));
        let nodes = linked.into_iter().flatten().collect();
        let cluster = Cluster { image: &image, inventory: &inventory, nodes, profile };
        self.results.extend(table.rows.iter().map(|row| TestResult::of(row, &cluster)));
    }
}

impl TestResult {
    fn of(row: &Row, cluster: &Cluster<'_>) -> Self {
        let verdict = cluster.check(&row.expectation);
        let failures = verdict.misses.into_iter().map(|miss| Unmet::of(miss, cluster)).collect();
        Self {
            name: row.name.clone(),
            at: row.at,
            connections: verdict.connections,
            failures,
            left_out: verdict.left_out.into_iter().collect(),
        }
    }
}

impl Unmet {
    fn of(Miss { message, traced }: Miss<'_>, cluster: &Cluster<'_>) -> Self {
        let answer = |Traced { node, flow, trace }: Traced<'_>| {
            let view = TraceView::of(&trace, cluster.image, cluster.profile);
            let explained = trace::render(&view, &trace, &flow, node);
            Answer { node: node.to_owned(), flow: flow.to_string(), view, explained }
        };
        Self { message, traced: traced.map(answer) }
    }
}

fn contents(file: &Path) -> io::Result<String> {
    let bytes = manifests::read_one(file)?;
    if bytes.len() > Source::MAX_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
