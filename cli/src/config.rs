//! `lrpc.toml`: the settings that a repository of policies keeps beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;

use crate::exit::Failure;

const FILE_NAME: &str = "lrpc.toml";

/// The settings; every one may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The addresses that address policies may redirect (L14); absent: every address.
    pub(crate) allowed_addresses: Option<Vec<IpNet>>,
    /// The severities of warnings, by code.
    #[serde(default)]
    pub(crate) severity: BTreeMap<String, Severity>,
    /// What the policies of a namespace may redirect (L19); `*` is every namespace without an entry.
    #[serde(default)]
    pub(crate) namespaces: BTreeMap<String, Namespace>,
}

/// What becomes of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Error,
    Warning,
    Off,
}

/// What the policies of one namespace may redirect; an absent list allows everything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Namespace {
    pub(crate) matchers: Option<Vec<Matcher>>,
    pub(crate) addresses: Option<Vec<IpNet>>,
    pub(crate) services: Option<Vec<String>>,
}

/// A kind of frontend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Matcher {
    Address,
    Service,
}

impl Config {
    /// The settings in `file`, else in the nearest `lrpc.toml` upwards from the working directory, else the
    /// defaults.
    ///
    /// # Errors
    /// When the file cannot be read or does not say what this version understands.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file.map(Path::to_path_buf).or_else(nearest) else { return Ok(Self::default()) };
        let text = fs::read_to_string(&path)
            .map_err(|error| Failure::new(format!("{} cannot be read", path.display())).because(&error))?;
        toml::from_str(&text).map_err(|error| {
            Failure::new(format!("{} is not a valid configuration", path.display()))
                .because(&error)
                .help("known are `allowed-addresses`, `[severity]` and `[namespaces.NAME]`")
        })
    }
}

fn nearest() -> Option<PathBuf> {
    let start = std::env::current_dir().ok()?;
    start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}
