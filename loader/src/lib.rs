//! Links an image with what runs on a node, and swaps the node's map set to the result.
//!
//! ```text
//! Image ────┐
//!           ├─link─▶ MapSet (rows), Finding…
//! Inventory ┘
//! ```
//! [`inventory`] reads what a cluster runs, [`mod@link`] decides what each frontend of one node does
//! ([`mapset`]), and [`findings`] say what does not fit. All of that is pure and runs on any system.
//!
//! ```text
//! MapSet ─resolve─▶ Resolved ─stage─▶ Staged ─publish─▶ every connection sees it
//! ```
//! [`resolve`] turns rows into the [`tables`]' bytes, [`node`] swaps a node to them in one step and answers
//! for what is loaded; [`record`] is what a generation says of itself, [`state`] what only names can say.
//! Only `kernel` knows bpf(2).
#![deny(unsafe_code)]

pub mod inventory;

pub mod mapset;

pub mod link;

pub mod findings;

pub mod flow;

pub mod trace;

pub mod resolve;

pub mod tables;

pub mod record;

pub mod diff;

#[cfg(target_os = "linux")]
mod clock;

#[cfg(target_os = "linux")]
pub mod state;

#[cfg(target_os = "linux")]
mod kernel;

#[cfg(target_os = "linux")]
pub mod node;

mod pages;

pub use findings::{Finding, Severity};
pub use inventory::Inventory;
pub use link::{LinkError, Linked, Linker, link};
pub use mapset::MapSet;
pub use pages::{PAGES, Page};
