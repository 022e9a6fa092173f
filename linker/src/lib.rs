//! Links an image with what a cluster runs: what each frontend does on a node, and why.
//!
//! ```text
//! Image ────┐
//!           ├─link─▶ MapSet (rows), Finding…
//! Inventory ┘
//! ```
//! [`inventory`] reads what a cluster runs, [`mod@link`] decides what each frontend of one node does
//! ([`mapset`]), [`findings`] say what does not fit, and [`profile`] what a node's data path carries of it.
//! [`trace`] follows one connection ([`flow`]), [`expect`] holds many against what a team expects of them, and
//! [`diff`] compares two states.
//!
//! INVARIANT: all of it is pure and runs on any system: no file, no kernel, no clock, no manifest.
#![forbid(unsafe_code)]

pub mod inventory;

pub mod mapset;

pub mod link;

pub mod profile;

pub mod findings;

pub mod flow;

pub mod trace;

pub mod expect;

pub mod diff;

mod pages;

pub use findings::Finding;
pub use inventory::Inventory;
pub use link::{LinkError, Linked, LinkedPart, Linker, Part, link};
pub use mapset::MapSet;
pub use pages::PAGES;
