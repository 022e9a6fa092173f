//! The warnings that comments in the manifests allow (`# lrpc: allow(code) reason`), so that whoever links the
//! image later is not told either. Not part of the digest: a comment changes no policy.

use std::sync::Arc;

/// A warning that a comment allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllowedWarning {
    /// The file's name as it was given.
    pub file: Arc<str>,
    /// The line on which it is allowed.
    pub line: u32,
    /// Its code.
    pub code: String,
}
