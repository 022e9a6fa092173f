//! `lrpc.toml`: the settings that a repository of policies keeps beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use lrpc_compiler::Source;
use serde::{Deserialize, Deserializer};

use crate::exit::Failure;
use crate::manual::diagnostics;

const FILE_NAME: &str = "lrpc.toml";

/// The settings; every one may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The addresses that address policies may redirect (L14); absent: every address.
    #[serde(default, deserialize_with = "ranges")]
    pub(crate) allowed_addresses: Option<Vec<IpNet>>,
    /// The severities of warnings, by code.
    #[serde(default)]
    pub(crate) severity: BTreeMap<Warning, Severity>,
    /// What the policies of a namespace may redirect (L19); `*` is every namespace without an entry.
    #[serde(default)]
    pub(crate) namespaces: BTreeMap<NamespaceName, Namespace>,
}

/// The code of a warning.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Warning(pub(crate) String);

impl TryFrom<String> for Warning {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        diagnostics::warning(&code).map(|()| Self(code))
    }
}

/// What becomes of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Error,
    Warning,
    Off,
}

/// The name of a namespace, or `*`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct NamespaceName(pub(crate) String);

impl TryFrom<String> for NamespaceName {
    type Error = String;

    /// A rule under a name that no namespace can have would forbid nothing, and nobody would notice.
    fn try_from(name: String) -> Result<Self, String> {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_label = (1..=63).contains(&name.len())
            && name.bytes().all(is_inner)
            && !name.starts_with('-')
            && !name.ends_with('-');
        if name == "*" || is_label {
            return Ok(Self(name));
        }
        Err(format!("no namespace can be called `{name}`; `*` stands for all without a table of their own"))
    }
}

/// What the policies of one namespace may redirect; an absent list allows everything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Namespace {
    pub(crate) matchers: Option<Vec<Matcher>>,
    #[serde(default, deserialize_with = "ranges")]
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
    /// When the file cannot be read or does not say what this version understands; the message names the
    /// place.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path(file) else { return Ok(Self::default()) };
        let shown = path.display().to_string();
        let text = fs::read_to_string(&path)
            .map_err(|error| Failure::new(format!("{shown} cannot be read")).because(&error))?;
        toml::from_str(&text).map_err(|error| {
            let at = Source::new(shown.as_str(), text.as_str())
                .position(error.span().map_or(0, |span| span.start));
            let message = error.message().trim_end();
            Failure::new(format!("{shown}:{}:{}: {message}", at.line, at.column))
                .help("`lrpc explain lrpc.toml` says what can be set")
        })
    }
}

/// A range of addresses, with words of its own for a wrong one.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Range(IpNet);

impl TryFrom<String> for Range {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no range of addresses; write one as `169.254.0.0/16`, `fd00::/8`");
        text.parse().map(Self).map_err(|_| wrong())
    }
}

fn ranges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<IpNet>>, D::Error> {
    let ranges = Vec::<Range>::deserialize(deserializer)?;
    Ok(Some(ranges.into_iter().map(|Range(range)| range).collect()))
}

/// The file of settings that counts where `file` is named, or none is.
pub(crate) fn path(file: Option<&Path>) -> Option<PathBuf> {
    file.map(Path::to_path_buf).or_else(nearest)
}

fn nearest() -> Option<PathBuf> {
    let start = std::env::current_dir().ok()?;
    start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}
