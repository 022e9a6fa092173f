//! Links an image with what runs on a node, and swaps the node's map set to the result.
//!
//! ```text
//! Image ────┐
//!           ├─link─▶ MapSet (rows), Finding…
//! Inventory ┘
//! ```
//! [`inventory`] reads what a cluster runs, [`link`] decides what each frontend of one node does
//! ([`mapset`]), and [`findings`] say what does not fit. All of that is pure and runs on any system.

pub mod inventory;

pub mod mapset;

pub mod link;

pub mod findings;

mod pages;

pub use findings::{Finding, Severity};
pub use inventory::Inventory;
pub use link::{LinkError, Linked, Linker, link};
pub use mapset::MapSet;
pub use pages::{PAGES, Page};
