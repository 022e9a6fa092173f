//! The JSON Schemas for editors and pipelines: of what users write (manifests,
//! `lrpc.toml`, expectation tables) and of what
//! `lrpc check --format json` prints.
//!
//! Draft 7, which the language servers for YAML and TOML both know. They describe shapes only: what a
//! manifest means, and whether it collides with another, is the compiler's to say.

/// Policy manifests; documents of other kinds are let through.
pub const MANIFEST: &str = include_str!("../json/manifest.schema.json");

/// The settings file `lrpc.toml`.
pub const CONFIG: &str = include_str!("../json/lrpc.toml.schema.json");

/// The diagnostics of `lrpc check --format json`.
pub const REPORT: &str = include_str!("../json/report.schema.json");

/// The expectation tables that `lrpc test` runs.
pub const TEST: &str = include_str!("../json/test.schema.json");
