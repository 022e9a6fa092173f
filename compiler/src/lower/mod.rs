//! Trees to typed policies: which documents are policies ([`document`]), then field by field.
//!
//! [`object`] holds the reading of fields that every part shares. Lowering reports what one value or one
//! object shows by itself; rules between fields follow in [`check`](mod@crate::check). It never stops at a
//! mistake: what is wrong is left out of the policy, so that no second report speaks of it.

mod annotations;
mod document;
mod frontend;
mod metadata;
mod object;
mod places;
mod policy;
mod ports;
mod selector;

pub(crate) use document::{Found, documents};
pub(crate) use places::Recorder;
