//! All files together: the rules between policies, the severities, and the plan where nothing is wrong.

use std::sync::Arc;

use crate::check::{self, Member, PAGES, Set, foreign_kind, unused_allow};
use crate::diagnostic::{Diagnostic, Severity};
use crate::options::{Level, Options};
use crate::parsed::Parsed;
use crate::plan::Plan;

/// What [`check`] found.
#[derive(Debug)]
pub struct Checked {
    /// The checked policies; `None` where there is an error.
    pub plan: Option<Plan>,
    /// Everything that was found, sorted by file name and place.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of documents of other kinds, or without one.
    pub ignored: usize,
}

/// Checks the policies of all files against the rules and each other. The order of the files does not
/// matter.
pub fn check(mut files: Vec<Parsed>, options: &Options) -> Checked {
    files.sort_by(|a, b| (a.source.name(), a.source.text()).cmp(&(b.source.name(), b.source.text())));
    let default = options.default_namespace.as_deref();
    let mut diagnostics = Vec::new();
    for file in &mut files {
        diagnostics.append(&mut file.problems);
        for policy in &mut file.policies {
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
    let members = policies.map(|policy| Member { policy, name: policy.policy_name(default) }).collect();
    check::set(&Set { members, options }, &mut diagnostics);
    silence(&files, &mut diagnostics);
    set_severities(options, &mut diagnostics);
    diagnostics.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    let is_sound = diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Warning);
    let ignored = files.iter().map(|file| file.foreign.len()).sum();
    let policies = files.into_iter().flat_map(|file| file.policies);
    Checked { plan: if is_sound { Plan::new(policies, options) } else { None }, diagnostics, ignored }
}

/// Takes out the warnings that a comment allows, and reports the comments that allow nothing.
fn silence(files: &[Parsed], diagnostics: &mut Vec<Diagnostic>) {
    for file in files.iter().filter(|file| !file.allows.is_empty()) {
        let in_file = |diagnostic: &Diagnostic| {
            diagnostic
                .primary
                .as_ref()
                .is_some_and(|label| Arc::ptr_eq(label.source.text(), file.source.text()))
        };
        let mut is_used = vec![false; file.allows.len()];
        diagnostics.retain(|diagnostic| {
            if diagnostic.severity == Severity::Error || !in_file(diagnostic) {
                return true;
            }
            let line = diagnostic.line_and_column().map(|(line, _)| line);
            let mut is_allowed = false;
            for (allow, is_used) in file.allows.iter().zip(&mut is_used) {
                if allow.code == diagnostic.code && Some(allow.line) == line {
                    *is_used = true;
                    is_allowed = true;
                }
            }
            !is_allowed
        });
        // Behind an error a rule may not have run, so nothing is said about comments for it.
        if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error && in_file(diagnostic))
        {
            continue;
        }
        let unused = file.allows.iter().zip(is_used).filter(|(_, is_used)| !is_used);
        diagnostics.extend(unused.map(|(allow, _)| unused_allow::report(&file.source, allow, PAGES)));
    }
}

fn set_severities(options: &Options, diagnostics: &mut Vec<Diagnostic>) {
    if options.severities.is_empty() {
        return;
    }
    diagnostics.retain_mut(|diagnostic| {
        if diagnostic.severity == Severity::Warning {
            match options.severities.get(diagnostic.code) {
                Some(Level::Off) => return false,
                Some(Level::Error) => diagnostic.severity = Severity::Error,
                Some(Level::Warning) | None => {}
            }
        }
        true
    });
}
