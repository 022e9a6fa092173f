//! All files together: the rules between policies, what comments allow, the severities, and the plan where
//! nothing is wrong.

use std::collections::{BTreeMap, BTreeSet};

use lrpc_schema::diagnostic::{FieldOf, Position, Spot};

use crate::check::{self, Member, PAGES, Set, foreign_kind, kustomize_patch, unused_allow};
use crate::diagnostic::{Diagnostic, Page, Severity, sort_key};
use crate::options::{Level, Options};
use crate::parsed::Parsed;
use crate::plan::Plan;
use crate::source::Source;
use crate::syntax::allow::Allow;
use crate::workload::{self, Beside, Kustomization, Workloads};

/// What [`check()`] found.
#[derive(Debug)]
pub struct Checked {
    /// The checked policies; `None` where there is an error.
    pub plan: Option<Plan>,
    /// Everything that was found, sorted by file name and place.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of documents of other kinds, or without one.
    pub ignored: usize,
}

/// A set of policies that was held against every rule, before comments silence what they allow and the
/// severities are set: what others find in the plan can still join.
#[derive(Debug)]
pub struct Examined<'o> {
    options: &'o Options,
    plan: Option<Plan>,
    /// In the order in which the plan's places number them.
    sources: Vec<Source>,
    diagnostics: Vec<Diagnostic>,
    allows: Vec<(Source, Vec<Allow>)>,
    ignored: usize,
}

/// Checks the policies of all files against the rules and each other. The order of the files does not
/// matter.
pub fn check(files: Vec<Parsed>, options: &Options) -> Checked {
    examine(files, options).settle(None)
}

/// [`check()`] in two steps, for those who link the plan and report both together.
pub fn examine(mut files: Vec<Parsed>, options: &Options) -> Examined<'_> {
    files.sort_by(|a, b| (a.source.name(), a.source.text()).cmp(&(b.source.name(), b.source.text())));
    let default = options.default_namespace.as_ref();
    let mut diagnostics = take_patches(&mut files);
    for file in &mut files {
        diagnostics.append(&mut file.problems);
        for policy in file.policies.iter_mut().filter(|policy| !policy.problems.is_empty()) {
            let name = policy.policy_name(default);
            diagnostics.extend(
                policy.problems.drain(..).map(|problem| Diagnostic { policy: name.clone(), ..problem }),
            );
        }
        if options.strict_kinds {
            let foreign = file.foreign.iter();
            diagnostics
                .extend(foreign.map(|(kind, document)| foreign_kind::report(&file.source, *kind, *document)));
        }
    }
    let policies = files.iter().flat_map(|file| &file.policies);
    let members: Vec<_> =
        policies.map(|policy| Member { policy, name: policy.policy_name(default) }).collect();
    let workloads = Workloads::new(files.iter().flat_map(|file| &file.beside), members.len());
    check::set(&Set { members, options, workloads }, &mut diagnostics);
    let ignored = files.iter().map(|file| file.foreign.len()).sum();
    let mut allows = Vec::new();
    for file in files.iter_mut().filter(|file| !file.allows.is_empty()) {
        allows.push((file.source.clone(), std::mem::take(&mut file.allows)));
    }
    let sources = files.iter().map(|file| file.source.clone()).collect();
    let files = files.into_iter().map(|file| (file.policies, file.places));
    let plan = if is_sound(&diagnostics) { Plan::new(files, &allows, options) } else { None };
    Examined { options, plan, sources, diagnostics, allows, ignored }
}

/// Takes the patches of Kustomize folders out of the files, which are no policies, and reports those of policies.
fn take_patches(files: &mut [Parsed]) -> Vec<Diagnostic> {
    let beside = files.iter().flat_map(|file| &file.beside);
    let mut kustomizations = beside
        .filter_map(|beside| match beside {
            Beside::Kustomization(kustomization) => Some(kustomization),
            Beside::Template(_) | Beside::Service(_) => None,
        })
        .peekable();
    if kustomizations.peek().is_none() {
        return Vec::new();
    }
    let patching: BTreeSet<String> = files
        .iter()
        .filter(|file| !file.policies.is_empty())
        .map(|file| workload::plain(file.source.name()))
        .collect();
    let (mut found, mut patches) = (Vec::new(), BTreeSet::new());
    for Kustomization { source, patches: its } in kustomizations {
        for patch in its {
            let file = patch.file.as_ref().filter(|file| patching.contains(*file));
            if patch.is_of_policy || file.is_some() {
                found.push(kustomize_patch::report(source, patch));
            }
            patches.extend(file.cloned());
        }
    }
    if !patches.is_empty() {
        let is_patch = |file: &&mut Parsed| patches.contains(&workload::plain(file.source.name()));
        for file in files.iter_mut().filter(is_patch) {
            file.policies.clear();
        }
    }
    found
}

impl Examined<'_> {
    /// The policies, where no rule is broken.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Adds what others found beside the policies, such as in an inventory.
    pub fn join(&mut self, found: impl IntoIterator<Item = Diagnostic>) {
        self.diagnostics.extend(found);
    }

    /// The place of the field of a policy, or of the nearest field around it that was written, for what others
    /// find in the plan.
    pub fn find(&self, of: &FieldOf) -> Option<Spot> {
        let (file, stretch) = self.plan.as_ref()?.places().stretch(&of.policy, &of.field.to_string())?;
        let source = self.sources.get(file)?;
        let start = Position { line: stretch.line, column: stretch.column };
        let end = Position { line: stretch.end_line, column: stretch.end_column };
        Some(Spot { source: source.clone(), span: source.range(start, end) })
    }

    /// Adds what others found in the plan (`None`: nobody looked), takes out what comments allow, and sets
    /// the severities.
    pub fn settle(mut self, found: Option<Vec<Diagnostic>>) -> Checked {
        let looked = found.is_some();
        self.diagnostics.extend(found.unwrap_or_default());
        self.silence(looked);
        let Self { options, plan, mut diagnostics, ignored, .. } = self;
        set_severities(options, &mut diagnostics);
        diagnostics.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        Checked { plan: plan.filter(|_| is_sound(&diagnostics)), diagnostics, ignored }
    }

    /// Takes out the warnings that a comment allows, and reports the comments that allow nothing. Where
    /// nobody looked, a comment for what they might have found is left alone.
    fn silence(&mut self, looked: bool) {
        let foreign = &self.options.foreign_pages;
        let is_open = |allow: &Allow| {
            let is_it = |page: &&Page| page.code == *allow.code && page.severity == Severity::Warning;
            !looked && foreign.iter().any(|page| is_it(&page))
        };
        let mut files: BTreeMap<_, _> =
            self.allows.iter().map(|(source, allows)| (text(source), Silenced::new(allows))).collect();
        self.diagnostics.retain(|diagnostic| {
            let file = diagnostic.primary.as_ref().and_then(|label| files.get_mut(&text(&label.at.source)));
            file.is_none_or(|file| !file.takes(diagnostic))
        });
        let pages: Vec<Page> = PAGES.iter().chain(foreign).copied().collect();
        for (source, allows) in &self.allows {
            // Behind an error a rule may not have run, so nothing is said about comments for it.
            let Some(file) = files.get(&text(source)).filter(|file| !file.is_wrong) else { continue };
            let unused = allows.iter().filter(|allow| !file.is_used(allow) && !is_open(allow));
            self.diagnostics.extend(unused.map(|allow| unused_allow::report(source, allow, &pages)));
        }
    }
}

/// Which text a source has, whatever it is called.
fn text(source: &Source) -> *const u8 {
    source.text().as_ptr()
}

/// What the comments of a file silence.
struct Silenced<'a> {
    /// Whether a warning of a code on a line was met, for each that a comment allows.
    met: BTreeMap<(u32, &'a str), bool>,
    /// It has an error.
    is_wrong: bool,
}

impl<'a> Silenced<'a> {
    fn new(allows: &'a [Allow]) -> Self {
        let met = allows.iter().map(|allow| ((allow.line, allow.code.as_str()), false)).collect();
        Self { met, is_wrong: false }
    }

    /// Whether a diagnostic of the file is silenced.
    fn takes(&mut self, diagnostic: &Diagnostic) -> bool {
        if diagnostic.severity == Severity::Error {
            self.is_wrong = true;
            return false;
        }
        let line = diagnostic.line_and_column().map(|(line, _)| line);
        let met = line.and_then(|line| self.met.get_mut(&(line, diagnostic.code.as_str())));
        met.map(|met| *met = true).is_some()
    }

    fn is_used(&self, allow: &Allow) -> bool {
        self.met.get(&(allow.line, allow.code.as_str())).is_some_and(|met| *met)
    }
}

fn is_sound(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Warning)
}

fn set_severities(options: &Options, diagnostics: &mut Vec<Diagnostic>) {
    if options.severities.is_empty() {
        return;
    }
    diagnostics.retain_mut(|diagnostic| {
        if diagnostic.severity == Severity::Warning {
            match options.severities.get(diagnostic.code.as_str()) {
                Some(Level::Off) => return false,
                Some(Level::Error) => diagnostic.severity = Severity::Error,
                Some(Level::Warning) | None => {}
            }
        }
        true
    });
}
