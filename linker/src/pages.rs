//! The manual of the findings: one table drives `lrpc explain`, the reports and the tests.
//!
//! `frontend-overlap` is not in it: the compiler has that code for the same fault in text, with its page.

use crate::findings::{
    AddressNotAllowed, AddressOwnedByService, BackendAddressIgnored, BackendNotIdentified,
    ContainerPortMissing, Facts, FamilyHole, NameChainBroken, NoReadyPod, NoSelectedNode, PortNotServed,
    ProtocolHole, SelectorMatchesNothing, SelfRedirect, ServiceHeadless, ServiceMissing, ServicePortMissing,
    SessionAffinity, Severity,
};

/// One page of the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The stable code.
    pub code: &'static str,
    /// How grave the finding is.
    pub severity: Severity,
    /// One line.
    pub summary: &'static str,
    /// The page, as Markdown.
    pub page: &'static str,
}

macro_rules! page {
    ($facts:ident, $file:literal, $summary:literal) => {
        Page {
            code: $facts::CODE,
            severity: $facts::SEVERITY,
            summary: $summary,
            page: include_str!(concat!("../diagnostics/", $file, ".md")),
        }
    };
}

/// Every page, sorted by code.
pub static PAGES: &[Page] = &[
    page!(AddressNotAllowed, "address-not-allowed", "an address is outside the allow-list of this run"),
    page!(
        AddressOwnedByService,
        "address-owned-by-service",
        "an address policy would take a frontend from a Service"
    ),
    page!(
        BackendAddressIgnored,
        "backend-address-ignored",
        "a selected pod cannot use `lrpc.dev/backend-address`"
    ),
    page!(BackendNotIdentified, "backend-not-identified", "a pod that must be exempt has no UID"),
    page!(ContainerPortMissing, "container-port-missing", "ready pods do not declare the backend port"),
    page!(FamilyHole, "family-hole", "ready pods have no address of the frontend's family"),
    page!(NameChainBroken, "name-chain-broken", "frontend, backend and container port names do not meet"),
    page!(NoReadyPod, "no-ready-pod", "the selected pods are not ready"),
    page!(NoSelectedNode, "no-selected-node", "the policy selects nodes of which there is none"),
    page!(PortNotServed, "port-not-served", "an all-ports policy leaves ports of its Service out"),
    page!(ProtocolHole, "protocol-hole", "a port is there for the other protocol only"),
    page!(SelectorMatchesNothing, "selector-matches-nothing", "the backend selector matches no local pod"),
    page!(SelfRedirect, "self-redirect", "a backend's own connections come back to it"),
    page!(ServiceHeadless, "service-headless", "the Service has no cluster address"),
    page!(ServiceMissing, "service-missing", "the Service is not there"),
    page!(ServicePortMissing, "service-port-missing", "the Service does not have a listed port"),
    page!(SessionAffinity, "session-affinity", "a redirect does not keep a Service's session affinity"),
];
