//! What the user asked for, typed: `cli` reads the flags and `lrpc.toml`.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use crate::diagnostic::Page;

/// Options of [`check`](crate::check()); the default allows everything.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The namespace of manifests that name none (L13).
    pub default_namespace: Option<Arc<str>>,
    /// The addresses that policies may redirect (L14); `None` allows every address. Travels in the image.
    pub allowed_addresses: Option<Vec<IpNet>>,
    /// A document of another kind, or without one, is an error.
    pub strict_kinds: bool,
    /// What warnings count as, by code. Errors stay errors whatever stands here.
    pub severities: BTreeMap<String, Level>,
    /// The diagnostics that others find in a plan, as a link does: a comment may allow their warnings, and
    /// [`Examined::settle`](crate::Examined::settle) takes them in.
    pub foreign_pages: Vec<Page>,
    /// What the policies of a namespace may redirect (L19), by namespace; `*` is every one not named.
    pub namespaces: BTreeMap<String, NamespaceRule>,
}

/// What a warning counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It stops the compile.
    Error,
    /// It is reported.
    Warning,
    /// It is left out.
    Off,
}

/// What the policies of one namespace may redirect (L19); `None` allows everything.
#[derive(Clone, Debug, Default)]
pub struct NamespaceRule {
    /// The allowed matchers.
    pub matchers: Option<Vec<MatcherKind>>,
    /// Where addresses must lie.
    pub addresses: Option<Vec<IpNet>>,
    /// The Services, by name.
    pub services: Option<Vec<String>>,
}

/// A matcher, as `lrpc.toml` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatcherKind {
    /// `address`.
    Address,
    /// `service`.
    Service,
}

impl Options {
    /// The rule for a namespace, and the table that it stands in.
    pub(crate) fn namespace_rule(&self, namespace: &str) -> Option<(&str, &NamespaceRule)> {
        let (table, rule) =
            self.namespaces.get_key_value(namespace).or_else(|| self.namespaces.get_key_value("*"))?;
        Some((if table == "*" { "\"*\"" } else { table.as_str() }, rule))
    }
}
