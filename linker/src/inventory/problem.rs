//! What is wrong with a dump although it can be read: each is a warning with a page.

use std::fmt;
use std::sync::Arc;

use lrpc_schema::diagnostic::{Code, Diagnostic, Page, Severity};

use super::store::{Key, Met};

/// A warning about a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// An object does not count.
    Skipped {
        /// The file, as it was named.
        file: Arc<str>,
        /// Kind and name, ``Pod `default/a` ``.
        object: String,
        /// What is wrong with it.
        message: String,
    },
    /// Objects of this file had been given before.
    GivenTwice(Arc<str>, Again),
}

/// Objects that had been given before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// All of them.
    objects: Counted,
    /// Those of another version, by which it was decided.
    versions: Counted,
    /// Those that are different and of which none is known to be newer.
    unordered: Counted,
}

/// A number of objects, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counted {
    count: usize,
    first: Option<Key>,
}

impl Counted {
    fn add(&mut self, key: &Key) {
        self.count += 1;
        self.first.get_or_insert_with(|| key.clone());
    }
}

impl Again {
    pub(super) fn count(&mut self, key: &Key, met: Met) {
        self.objects.add(key);
        match met {
            Met::Nothing | Met::Same => {}
            Met::Older | Met::Newer => self.versions.add(key),
            Met::Another => self.unordered.add(key),
        }
    }
}

const SKIPPED: Page = Page {
    code: Code::new("object-skipped"),
    severity: Severity::Warning,
    summary: "an object of an inventory cannot be read and does not count",
    since: "0.1.0",
    page: include_str!("../../diagnostics/object-skipped.md"),
};

const GIVEN_TWICE: Page = Page {
    code: Code::new("given-twice"),
    severity: Severity::Warning,
    summary: "an inventory holds an object more than once",
    since: "0.1.0",
    page: include_str!("../../diagnostics/given-twice.md"),
};

/// The pages of what may be wrong with an inventory, sorted by code.
pub static PAGES: &[Page] = &[GIVEN_TWICE, SKIPPED];

impl Problem {
    /// The problem as reports have it; it is about no policy.
    pub fn diagnostic<At>(&self) -> Diagnostic<At> {
        let (page, help) = match self {
            Self::Skipped { .. } => (SKIPPED, "dump it again with `kubectl get -o yaml`, or mend it".into()),
            Self::GivenTwice(_, again) => (GIVEN_TWICE, again.help()),
        };
        page.report(self.to_string()).help(help)
    }
}

/// The headline.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped { file, object, message } => {
                write!(f, "{object} in `{file}` is skipped: {message}")
            }
            Self::GivenTwice(file, again) => {
                let first = again.objects.first.as_ref().map(Key::to_string).unwrap_or_default();
                match again.objects.count {
                    1 => write!(f, "`{file}` gives {first} again"),
                    count => write!(f, "`{file}` gives {count} objects again, the first is {first}"),
                }
            }
        }
    }
}

impl Again {
    fn help(&self) -> String {
        let differ = |of: &Counted, what: &str| {
            let first = of.first.as_ref()?;
            Some(match of.count {
                1 => format!("{first} differs{what}\n"),
                count => format!("{first} and {} more differ{what}\n", count - 1),
            })
        };
        let versions = differ(&self.versions, " in its `resourceVersion`: the newer counts");
        let unordered =
            differ(&self.unordered, ", and no `resourceVersion` says which is newer: the later counts");
        let differences: String = versions.into_iter().chain(unordered).collect();
        match differences.as_str() {
            "" => "nothing that lrpc reads differs; leave one of the dumps out".into(),
            _ => differences + "leave one of the dumps out",
        }
    }
}
