//! Field paths, as [`Places`](lrpc_schema::image::Places) has them.

use lrpc_schema::image::{Matcher, Policy};

pub(super) const ADDRESS: &str = "spec.redirectFrontend.addressMatcher.ip";
pub(super) const SERVICE: &str = "spec.redirectFrontend.serviceMatcher.serviceName";
pub(super) const SELECTOR: &str = "spec.redirectBackend.localEndpointSelector";
pub(super) const BACKEND_PORTS: &str = "spec.redirectBackend.toPorts";
pub(super) const SKIP: &str = "spec.skipRedirectFromBackend";
pub(super) const NODES: &str = "metadata.annotations.lrpc.dev/nodes";
pub(super) const BACKEND_ADDRESS: &str = "metadata.annotations.lrpc.dev/backend-address";

/// The number of a listed frontend port, or what names the frontend where none is listed.
pub(super) fn frontend(policy: &Policy, place: Option<usize>) -> String {
    match (&policy.frontend, place) {
        (Matcher::Address { .. }, Some(place)) => {
            format!("spec.redirectFrontend.addressMatcher.toPorts[{place}].port")
        }
        (Matcher::Service { .. }, Some(place)) => {
            format!("spec.redirectFrontend.serviceMatcher.toPorts[{place}].port")
        }
        (Matcher::Address { .. }, None) => ADDRESS.into(),
        (Matcher::Service { .. }, None) => SERVICE.into(),
    }
}

/// A field of a backend port.
pub(super) fn backend(place: usize, field: &str) -> String {
    format!("{BACKEND_PORTS}[{place}].{field}")
}
