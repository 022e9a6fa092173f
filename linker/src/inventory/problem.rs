//! What is wrong with a dump although it can be read: each is a warning with a page.

use std::fmt;
use std::sync::Arc;

use super::store::{Key, Met};
use crate::findings::Severity;
use crate::pages::Page;

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
    first: Option<Key>,
    /// All of them.
    objects: usize,
    /// Those of another version, by which it was decided.
    versions: usize,
    /// Those that are different and of which none is known to be newer.
    unordered: usize,
}

impl Again {
    pub(super) fn count(&mut self, key: &Key, met: Met) {
        self.first.get_or_insert_with(|| key.clone());
        self.objects += 1;
        match met {
            Met::Nothing | Met::Same => {}
            Met::Older | Met::Newer => self.versions += 1,
            Met::Another => self.unordered += 1,
        }
    }
}

const SKIPPED: &str = "object-skipped";
const GIVEN_TWICE: &str = "given-twice";

/// The pages of [`Problem::code`], sorted by code.
pub static PAGES: &[Page] = &[
    Page {
        code: GIVEN_TWICE,
        severity: Severity::Warning,
        summary: "an inventory holds an object more than once",
        page: include_str!("../../diagnostics/given-twice.md"),
    },
    Page {
        code: SKIPPED,
        severity: Severity::Warning,
        summary: "an object of an inventory cannot be read and does not count",
        page: include_str!("../../diagnostics/object-skipped.md"),
    },
];

impl Problem {
    /// The stable code, which names the page.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Skipped { .. } => SKIPPED,
            Self::GivenTwice(..) => GIVEN_TWICE,
        }
    }

    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Self::Skipped { .. } => "dump it again with `kubectl get -o yaml`, or mend it".into(),
            Self::GivenTwice(_, again) => again.help(),
        }
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
                let Again { first, objects, .. } = again;
                let first = first.as_ref().map(Key::to_string).unwrap_or_default();
                match objects {
                    1 => write!(f, "`{file}` gives {first} again"),
                    _ => write!(f, "`{file}` gives {objects} objects again, the first is {first}"),
                }
            }
        }
    }
}

impl Again {
    fn help(&self) -> String {
        let mut help = String::new();
        let differ = |count: usize| match count {
            1 => "1 of them differs".to_owned(),
            _ => format!("{count} of them differ"),
        };
        if self.versions > 0 {
            let differ = differ(self.versions);
            help += &format!("{differ} by `resourceVersion`: the newer counts\n");
        }
        if self.unordered > 0 {
            let differ = differ(self.unordered);
            help += &format!("{differ}, and no `resourceVersion` says which is newer: the later counts\n");
        }
        if help.is_empty() {
            help += "they do not differ in anything that lrpc reads\n";
        }
        help + "leave one of the dumps out"
    }
}
