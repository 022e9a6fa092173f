//! Text to trees with spans: [`read()`] turns one file into its documents ([`tree`]), scalars know which type
//! YAML gives them ([`scalar`]), and [`allow`] reads the comments that silence warnings.
//!
//! It knows no Kubernetes. INVARIANT: nothing here recurses, and what aliases may add to a document is
//! bounded, so that no text can exhaust the stack or the memory.

pub(crate) mod allow;
mod read;
mod scalar;
mod tree;

pub(crate) use read::{Event, read};
pub(crate) use scalar::{Scalar, Type};
pub(crate) use tree::{Node, Tree, Value};
