//! Manifests to a checked image, with a diagnostic for every mistake.
//!
//! ```text
//! Source ─parse─▶ Parsed (per file) ─check─▶ Plan + diagnostics ─emit─▶ Image
//! ```
//! [`read`] takes a file's bytes, and [`parse`] its text: `syntax` makes trees with spans, `lower` makes typed policies (`hir`) of those
//! documents that are policies. [`check`](check()) puts the files together and runs the rules between
//! policies; the folder `check` has a file for each diagnostic. [`examine`] is the same with room for what a
//! link finds in the plan. [`emit`] seals the plan into an image.
//!
//! The compiler is a function of its input: it does no I/O and reads no clock, environment or randomness,
//! starts no threads, and iterates in no hash order. It knows no node, no kernel and no cluster.
#![forbid(unsafe_code)]

mod check;
mod checked;
mod clusters;
mod diagnostic;
mod hir;
mod lower;
mod names;
mod options;
mod parsed;
mod plan;
mod selector;
mod source;
mod syntax;
mod template;
mod workload;

pub use check::PAGES;
pub use checked::{Checked, Examined, check, examine};
pub use diagnostic::Diagnostic;
pub use options::{Level, MatcherKind, NamespaceRule, Options};
pub use parsed::{Parsed, parse};
pub use plan::{Plan, emit};
pub use source::{Position, Source, read};
