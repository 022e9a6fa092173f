//! What `lrpc` prints for other programs, held against the schemas that those programs hold to, and the
//! schemas that `lrpc` prints itself, held against what `lrpc` accepts and rejects.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod help;
mod junit;
mod manifest;
mod manual;
mod reports;
mod settings;
mod support;
mod tables;
