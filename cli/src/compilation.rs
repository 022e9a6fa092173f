//! Manifests to a plan: reads the files, spreads them over the cores, and gathers what the compiler and, with
//! an inventory, the linker say.

use ipnet::IpNet;
use lrpc_compiler::{Diagnostic, Level, MatcherKind, NamespaceRule, Options, Parsed, Plan};
use lrpc_linker::inventory::Problem;
use lrpc_linker::{Finding, Inventory, Linker, findings};

use crate::arguments::{ManifestArgs, RulesArgs};
use crate::config::{self, Config};
use crate::exit::{ExitStatus, Failure};
use crate::inventory::Given;
use crate::manifests::{self, InputFile, Unreadable};
use crate::manual::diagnostics;
use crate::output::counted;
use crate::parallel;
use crate::report::{self, Report};

/// What came of a set of manifests.
pub(crate) struct Compilation {
    /// The checked policies; `None` where there is an error.
    pub(crate) plan: Option<Plan>,
    /// Everything that was found, in the order in which it is shown.
    pub(crate) reports: Vec<Report>,
    /// The paths that could not be read.
    unreadable: Vec<Unreadable>,
    /// Policies, right or wrong.
    pub(crate) policies: usize,
    /// Documents of other kinds.
    pub(crate) ignored: usize,
    /// The files that were read, by name.
    pub(crate) files: Vec<String>,
    allow_empty: bool,
}

/// By which rules manifests are compiled.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    args: &'a RulesArgs,
    /// Replaces the list of lrpc.toml where it is not empty (L14).
    allow_address: &'a [IpNet],
    strict_kinds: bool,
}

impl<'a> Rules<'a> {
    /// The rules that every command knows.
    pub(crate) fn of(args: &'a RulesArgs) -> Self {
        Self { args, allow_address: &[], strict_kinds: false }
    }

    /// The same with another list of allowed addresses.
    pub(crate) fn allowing(self, allow_address: &'a [IpNet]) -> Self {
        Self { allow_address, ..self }
    }
}

/// Compiles the manifests that the arguments name.
///
/// # Errors
/// When the settings cannot be read. What is wrong with a manifest is in the result.
pub(crate) fn compile(args: &ManifestArgs, inventory: Option<&Given>) -> Result<Compilation, Failure> {
    let rules =
        Rules { args: &args.rules, allow_address: &args.allow_address, strict_kinds: args.strict_kinds };
    compile_read(manifests::read(&args.paths), rules, inventory)
}

/// Compiles manifests that have been read.
///
/// # Errors
/// As [`compile`].
pub(crate) fn compile_read(
    (files, unreadable): (Vec<InputFile>, Vec<Unreadable>),
    rules: Rules<'_>,
    inventory: Option<&Given>,
) -> Result<Compilation, Failure> {
    let options = options(rules, Config::load(rules.args.config.as_deref())?);
    let names = files.iter().map(|file| file.name.clone()).collect();
    let (parsed, mut reports) = parse(files);
    let policies = parsed.iter().map(Parsed::policies).sum();
    let mut examined = lrpc_compiler::examine(parsed, &options);
    examined.join(inventory.iter().flat_map(|given| &given.problems).map(Problem::diagnostic));
    // A file that is no text has no policies to check, and the others alone are another set.
    let is_whole = reports.is_empty();
    let plan = examined.plan().filter(|_| is_whole);
    let locate = |finding: Finding| finding.locate(|at| examined.find(&at));
    let found: Option<Vec<Diagnostic>> = plan
        .zip(inventory)
        .map(|(plan, given)| link(plan, &given.inventory).into_iter().map(locate).collect());
    let checked = examined.settle(found);
    reports.extend(checked.diagnostics.into_iter().map(report::of_text));
    Ok(Compilation {
        plan: checked.plan.filter(|_| is_whole),
        reports,
        unreadable,
        policies,
        ignored: checked.ignored,
        files: names,
        allow_empty: rules.args.allow_empty,
    })
}

impl Compilation {
    /// How the command ends.
    ///
    /// # Errors
    /// When a path could not be read, or nothing in all of them was a policy; what was found in the others
    /// has been printed before.
    pub(crate) fn conclude(&self, deny_warnings: bool) -> Result<ExitStatus, Failure> {
        if let Some(failure) = manifests::failure("a path", &self.unreadable) {
            return Err(failure);
        }
        let status = report::status(&self.reports, deny_warnings);
        if self.policies == 0 && status == ExitStatus::Done && !self.allow_empty {
            let failure = Failure::new("there is no CiliumLocalRedirectPolicy in the given paths");
            let looked = match (self.files.len(), self.ignored) {
                (0, _) => "there is no *.yaml, *.yml or *.json file".to_owned(),
                (_, 0) => format!("there are {}", self.read()),
                _ => format!("there are {}; what a cluster runs is given by --inventory", self.read()),
            };
            return Err(failure.help(format!("{looked}; an empty set is meant by --allow-empty")));
        }
        Ok(status)
    }

    /// Keeps what concerns a file that `is_meant` and what is in no file, and says how many reports are left out.
    pub(crate) fn keep(&mut self, is_meant: impl Fn(&str) -> bool) -> usize {
        let before = self.reports.len();
        self.reports.retain(|report| {
            let places = report.primary.iter().chain(&report.related);
            let mut files = places.map(|label| &label.at.place.file).peekable();
            files.peek().is_none() || files.any(|file| is_meant(file))
        });
        self.files.retain(|file| is_meant(file));
        before - self.reports.len()
    }

    /// The last line for people: how much was looked at and what was found.
    pub(crate) fn summary(&self) -> String {
        format!("{}: {}\n", self.read(), report::summary(&self.reports))
    }

    /// How much was looked at.
    fn read(&self) -> String {
        let policies = counted(self.policies, "policy", "policies");
        let files = counted(self.files.len(), "file", "files");
        match self.ignored {
            0 => format!("{policies} in {files}"),
            ignored => {
                let documents = counted(ignored, "document", "documents");
                format!("{policies} and {documents} of other kinds in {files}")
            }
        }
    }
}

/// Parses every file, on every core. The result is in the order of the files.
fn parse(files: Vec<InputFile>) -> (Vec<Parsed>, Vec<Report>) {
    let (mut parsed, mut reports) = (Vec::new(), Vec::new());
    for result in parallel::map(files, parse_one) {
        match result {
            Ok(file) => parsed.push(file),
            Err(report) => reports.push(*report),
        }
    }
    (parsed, reports)
}

fn parse_one(file: InputFile) -> Result<Parsed, Box<Report>> {
    match lrpc_compiler::read(file.name, file.bytes) {
        Ok(source) => Ok(lrpc_compiler::parse(&source)),
        Err(problem) => Err(Box::new(report::of_text(*problem))),
    }
}

/// What linking every node finds, each once with its nodes.
fn link(plan: &Plan, inventory: &Inventory) -> Vec<Finding> {
    let image = lrpc_compiler::emit(plan, true);
    let linker = Linker::new(&image, inventory, None);
    let nodes: Vec<&str> = inventory.nodes().map(|node| &*node.name).collect();
    let linked = parallel::map(nodes, |node| Some((node.to_owned(), linker.link(node).ok()?.findings)));
    let findings = linked.into_iter().flatten();
    findings::across(&linker, findings)
}

fn options(rules: Rules<'_>, config: Config) -> Options {
    let Config { allowed_addresses, severity, namespaces } = config;
    Options {
        default_namespace: rules.args.namespace.as_deref().map(Into::into),
        allowed_addresses: match rules.allow_address {
            [] => allowed_addresses,
            given => Some(given.to_vec()),
        },
        strict_kinds: rules.strict_kinds,
        severities: severity.into_iter().map(|(code, severity)| (code.0, level(severity))).collect(),
        foreign_pages: diagnostics::findings().collect(),
        namespaces: namespaces.into_iter().map(|(name, rule)| (name.0, namespace(rule))).collect(),
    }
}

fn level(severity: config::Severity) -> Level {
    match severity {
        config::Severity::Error => Level::Error,
        config::Severity::Warning => Level::Warning,
        config::Severity::Off => Level::Off,
    }
}

fn namespace(rule: config::Namespace) -> NamespaceRule {
    let kind = |matcher| match matcher {
        config::Matcher::Address => MatcherKind::Address,
        config::Matcher::Service => MatcherKind::Service,
    };
    NamespaceRule {
        matchers: rule.matchers.map(|list| list.into_iter().map(kind).collect()),
        addresses: rule.addresses,
        services: rule.services,
    }
}
