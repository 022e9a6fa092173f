//! Compares two states: what their policies say, and what their link rows do on a node.
//!
//! ```text
//! Image, Image ──policies──▶ added, removed, changed; per frontend: which fields, what breaks
//! Rows, Rows ────rows──────▶ per frontend of a node: old and new row, what breaks
//! ```
//! [`mod@policies`] looks at each frontend through the policy that owns it ([`frontend`], [`field`], [`served`]), [`mod@rows`] at
//! what a node does with it. [`breaking`] names what `--breaking` stands for, [`cover`] says when a condition
//! still lets through what another did, [`immutable`] what the API server would refuse (L12).
//!
//! All of it is a walk over two sorted lists ([`join`]). Where a field was written takes no part: moving a
//! manifest is no difference.

mod breaking;
mod cover;
mod field;
mod frontend;
mod immutable;
mod join;
mod policies;
mod rows;
mod served;

pub use breaking::Breaking;
pub use field::{Delta, Field};
pub use frontend::{Change, FrontendName};
pub use immutable::Immutable;
pub use policies::{FrontendChange, PolicyChange, PolicyDiff, policies};
pub use rows::{RowChange, Rows, rows};
pub use served::Ports;

#[cfg(test)]
mod tests;
