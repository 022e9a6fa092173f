//! The manual: everything that lrpc prints or reads and that can be looked up by its name.

mod breaking;
pub(crate) mod diagnostics;
mod fill;
mod left_out;
mod nearest;
mod reasons;
mod rules;
mod settings;

use std::borrow::Cow;

use lrpc_schema::diagnostic::{Page, Severity};

pub(crate) use self::fill::filled;

/// The version that introduced everything that is older than its own mention.
const FIRST: &str = "0.1.0";

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A diagnostic.
    Diagnostic,
    /// Why something is not redirected.
    Reason,
    /// Why a node does not carry a row.
    LeftOut,
    /// What `diff --breaking` stands for.
    Breaking,
    /// What can be set.
    Setting,
    /// A rule of `docs/semantics.md`.
    Rule,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Diagnostic => "diagnostic",
            Self::Reason => "reason",
            Self::LeftOut => "left-out",
            Self::Breaking => "breaking",
            Self::Setting => "setting",
            Self::Rule => "rule",
        }
    }
}

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The name by which it is looked up, as it is printed.
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    /// How much a diagnostic matters.
    pub(crate) severity: Option<Severity>,
    /// What it is, in one line.
    pub(crate) summary: Cow<'static, str>,
    /// The version that introduced it.
    pub(crate) since: &'static str,
    /// The page, as Markdown.
    pub(crate) page: Cow<'static, str>,
}

impl From<Page> for Entry {
    fn from(page: Page) -> Self {
        Self {
            name: Cow::Borrowed(page.code.as_str()),
            kind: Kind::Diagnostic,
            severity: Some(page.severity),
            summary: Cow::Borrowed(page.summary),
            since: page.since,
            page: Cow::Borrowed(page.page),
        }
    }
}

/// The diagnostics, sorted by code.
pub(crate) fn diagnostics() -> Vec<Entry> {
    diagnostics::all().into_iter().map(Entry::from).collect()
}

/// Every entry: diagnostics, reasons, breaking rules, settings, and the rules in their order.
pub(crate) fn all() -> Vec<Entry> {
    let mut entries = diagnostics();
    entries.extend(reasons::all());
    entries.extend(left_out::all());
    entries.extend(breaking::all());
    entries.extend(settings::all());
    entries.extend(rules::all());
    entries
}

/// The entry of a name; the letter of a rule may be small.
pub(crate) fn find(name: &str) -> Option<Entry> {
    let upper = name.to_ascii_uppercase();
    let name = if rules::is_number(&upper) { &upper } else { name };
    all().into_iter().find(|entry| entry.name == name)
}

/// The name that was probably meant.
pub(crate) fn nearest(name: &str) -> Option<String> {
    let entries = all();
    nearest::nearest(name, entries.iter().map(|entry| &*entry.name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lrpc_linker::diff::Breaking;
    use lrpc_linker::profile::Gap;
    use lrpc_linker::trace::Reason;

    use super::*;

    #[test]
    fn names_are_unique_and_pages_have_titles() {
        let entries = all();
        let names: BTreeSet<_> = entries.iter().map(|entry| &entry.name).collect();
        assert_eq!(names.len(), entries.len());
        for entry in &entries {
            assert!(entry.page.starts_with(&format!("# {}\n", entry.name)), "{}", entry.name);
            assert!(!entry.summary.ends_with('.') && !entry.summary.contains('\n'), "{}", entry.name);
        }
    }

    #[test]
    fn every_reason_and_breaking_rule_is_there() {
        for name in Reason::ALL.iter().map(|reason| reason.as_str()) {
            assert!(find(name).is_some(), "{name}");
        }
        for name in Gap::ALL.iter().map(|gap| gap.as_str()) {
            assert!(find(name).is_some(), "{name}");
        }
        for name in Breaking::ALL.iter().map(|breaking| breaking.as_str()) {
            assert!(find(name).is_some(), "{name}");
        }
        assert_eq!(find("l5").map(|entry| entry.name), Some(Cow::Borrowed("L5")));
    }

    #[test]
    fn a_slip_is_answered() {
        assert_eq!(nearest("no-ready-bakend").as_deref(), Some("no-ready-backend"));
        assert_eq!(nearest("nothing-like-it").as_deref(), None);
    }
}
