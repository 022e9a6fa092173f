//! What `link` makes of small worlds: one test for each rule of docs/semantics.md that concerns selection, named
//! after it, and the properties that hold for every world.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod advice;
mod expect;
mod findings;
mod frontends;
mod lrpc_rules;
mod model;
mod pods;
mod properties;
mod scale;
mod trace;
mod world;
