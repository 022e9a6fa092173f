//! Swaps a node's BPF map set to a linked one, in one step.
//!
//! ```text
//! MapSet ─resolve─▶ Resolved ─stage─▶ Staged ─publish─▶ every connection sees it
//! ```
//! [`resolve`] turns rows into the [`tables`]' bytes, [`node`] swaps a node to them in one step and answers
//! for what is loaded; [`record`] is what a generation says of itself, [`state`] what only names can say, and
//! by [`probe`] one can ask whether it acts.
//! [`fs`] holds directories that nobody else can change; only `kernel` knows bpf(2).
#![cfg(target_os = "linux")]
#![deny(unsafe_code)]

pub mod resolve;

pub mod tables;

pub mod record;

pub mod probe;

mod clock;

pub mod state;

pub mod fs;

mod kernel;

pub mod node;
