//! What can be set: in `lrpc.toml`, and as annotations of a policy.

use std::borrow::Cow;

use super::{Entry, Kind};

macro_rules! setting {
    ($name:literal, $file:literal, $summary:literal) => {
        Entry {
            name: Cow::Borrowed($name),
            kind: Kind::Setting,
            severity: None,
            summary: Cow::Borrowed($summary),
            since: super::FIRST,
            page: Cow::Borrowed(include_str!(concat!("../../", $file))),
        }
    };
}

/// Every setting.
pub(super) fn all() -> [Entry; 9] {
    [
        setting!("lrpc.toml", "../docs/lrpc-toml.md", "the settings file"),
        setting!(
            "allowed-addresses",
            "manual/settings/allowed-addresses.md",
            "where address policies may redirect (lrpc.toml)"
        ),
        setting!("severity", "manual/settings/severity.md", "what becomes of warnings (lrpc.toml)"),
        setting!(
            "namespaces",
            "manual/settings/namespaces.md",
            "what the policies of a namespace may redirect (lrpc.toml)"
        ),
        setting!(
            "lrpc.dev/fallback",
            "manual/settings/lrpc.dev+fallback.md",
            "what happens without a backend (annotation)"
        ),
        setting!(
            "lrpc.dev/clients",
            "manual/settings/lrpc.dev+clients.md",
            "whose connections are redirected (annotation)"
        ),
        setting!(
            "lrpc.dev/nodes",
            "manual/settings/lrpc.dev+nodes.md",
            "on which nodes the policy acts (annotation)"
        ),
        setting!(
            "lrpc.dev/backend-address",
            "manual/settings/lrpc.dev+backend-address.md",
            "where a host-network backend listens (annotation)"
        ),
        setting!(
            "lrpc.dev/shadow-service",
            "manual/settings/lrpc.dev+shadow-service.md",
            "an address policy may take a Service's frontend (annotation)"
        ),
    ]
}
