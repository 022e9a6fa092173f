//! The manual of the findings: one table drives `lrpc explain`, the reports and the tests.
//!
//! `frontend-overlap` is not in it: the compiler has that code for the same fault in text, with its page.

use lrpc_schema::diagnostic::Page;

use crate::findings::{
    AddressNotAllowed, AddressOwnedByService, BackendAddressIgnored, BackendNotIdentified,
    ContainerPortMissing, Facts, FamilyHole, InternalTrafficLocal, MetadataAddress, NameChainBroken,
    NoReadyPod, NoSelectedNode, PodAtFrontend, PortNotServed, ProtocolHole, SelectorMatchesNothing,
    SelfRedirect, ServiceHeadless, ServiceMissing, ServicePortMissing, ServiceSelectsFewer, SessionAffinity,
    SomeNodesEmpty, UnreachablePod,
};

macro_rules! page {
    ($facts:ident, $file:literal, since $since:literal, $summary:literal) => {
        Page {
            code: $facts::CODE,
            severity: $facts::SEVERITY,
            summary: $summary,
            since: $since,
            page: include_str!(concat!("../diagnostics/", $file, ".md")),
        }
    };
}

/// Every page, sorted by code.
pub static PAGES: &[Page] = &[
    page!(AddressNotAllowed, "address-not-allowed", since "0.1.0", "an address is outside the allow-list of this run"),
    page!(
        AddressOwnedByService,
        "address-owned-by-service", since "0.1.0",
        "an address policy would take a frontend from a Service"
    ),
    page!(
        BackendAddressIgnored,
        "backend-address-ignored", since "0.1.0",
        "a selected pod cannot use `lrpc.dev/backend-address`"
    ),
    page!(BackendNotIdentified, "backend-not-identified", since "0.1.0", "a pod that must be exempt has no UID"),
    page!(ContainerPortMissing, "container-port-missing", since "0.1.0", "ready pods do not declare the backend port"),
    page!(FamilyHole, "family-hole", since "0.1.0", "ready pods have no address of the frontend's family"),
    page!(InternalTrafficLocal, "internal-traffic-local", since "0.1.0", "falling back to a Service may drop"),
    page!(MetadataAddress, "metadata-address", since "0.1.0", "a metadata address is redirected for the node's own agents"),
    page!(NameChainBroken, "name-chain-broken", since "0.1.0", "frontend, backend and container port names do not meet"),
    page!(NoReadyPod, "no-ready-pod", since "0.1.0", "the selected pods are not ready"),
    page!(NoSelectedNode, "no-selected-node", since "0.1.0", "the policy selects nodes of which there is none"),
    page!(PodAtFrontend, "pod-at-frontend", since "0.1.0", "a selected pod serves at the frontend itself"),
    page!(PortNotServed, "port-not-served", since "0.1.0", "an all-ports policy leaves ports of its Service out"),
    page!(ProtocolHole, "protocol-hole", since "0.1.0", "a port is there for the other protocol only"),
    page!(SelectorMatchesNothing, "selector-matches-nothing", since "0.1.0", "the backend selector matches no local pod"),
    page!(SelfRedirect, "self-redirect", since "0.1.0", "a backend's own connections come back to it"),
    page!(ServiceHeadless, "service-headless", since "0.1.0", "the Service has no cluster address"),
    page!(ServiceMissing, "service-missing", since "0.1.0", "the Service is not there"),
    page!(ServicePortMissing, "service-port-missing", since "0.1.0", "the Service does not have a listed port"),
    page!(ServiceSelectsFewer, "service-selects-fewer", since "0.1.0", "a redirect reaches pods that its Service leaves out"),
    page!(SessionAffinity, "session-affinity", since "0.1.0", "a redirect does not keep a Service's session affinity"),
    page!(SomeNodesEmpty, "some-nodes-empty", since "0.1.0", "an address policy has no backend on some nodes"),
    page!(UnreachablePod, "unreachable-pod", since "0.1.0", "a selected pod has an address at which nobody reaches it"),
];
