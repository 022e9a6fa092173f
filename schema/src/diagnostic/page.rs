//! The manual: a page for each kind of diagnostic, which the code names.

use std::fmt;

use super::{Diagnostic, Severity};

/// The stable code of a kind of diagnostic, in lower case with dashes: `port-octal`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    /// The code that is spelt so.
    pub const fn new(code: &'static str) -> Self {
        Self(code)
    }

    /// The code as reports and settings spell it.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl PartialEq<str> for Code {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Code {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// The manual page of a kind of diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The stable code.
    pub code: Code,
    /// How much it matters unless `lrpc.toml` says otherwise.
    pub severity: Severity,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The version that introduced it.
    pub since: &'static str,
    /// The page in Markdown.
    pub page: &'static str,
}

impl Page {
    /// A diagnostic of this kind with its headline, which has no place yet.
    pub fn report<At>(&self, message: impl Into<String>) -> Diagnostic<At> {
        Diagnostic {
            policy: None,
            primary: None,
            code: self.code,
            severity: self.severity,
            message: message.into(),
            help: None,
            related: Vec::new(),
            nodes: None,
        }
    }
}
