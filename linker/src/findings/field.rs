//! The fields that findings point at.

use lrpc_schema::diagnostic::Field;
use lrpc_schema::image::{Matcher, Policy};

const ADDRESS_PORTS: &str = "spec.redirectFrontend.addressMatcher.toPorts";
const SERVICE_PORTS: &str = "spec.redirectFrontend.serviceMatcher.toPorts";
const BACKEND_LIST: &str = "spec.redirectBackend.toPorts";

pub(crate) const ADDRESS: Field = Field::Fixed("spec.redirectFrontend.addressMatcher.ip");
pub(crate) const SERVICE: Field = Field::Fixed("spec.redirectFrontend.serviceMatcher.serviceName");
pub(crate) const SELECTOR: Field = Field::Fixed("spec.redirectBackend.localEndpointSelector");
pub(crate) const BACKEND_PORTS: Field = Field::Fixed(BACKEND_LIST);
pub(crate) const SKIP: Field = Field::Fixed("spec.skipRedirectFromBackend");
pub(crate) const NODES: Field = Field::annotation("lrpc.dev/nodes");
pub(crate) const BACKEND_ADDRESS: Field = Field::annotation("lrpc.dev/backend-address");

/// The number of a listed frontend port, or what names the frontend where none is listed.
pub(crate) fn frontend(policy: &Policy, place: Option<usize>) -> Field {
    match (&policy.frontend, place) {
        (Matcher::Address { .. }, Some(place)) => element(ADDRESS_PORTS, place, ".port"),
        (Matcher::Service { .. }, Some(place)) => element(SERVICE_PORTS, place, ".port"),
        (Matcher::Address { .. }, None) => ADDRESS,
        (Matcher::Service { .. }, None) => SERVICE,
    }
}

/// The number of a backend port.
pub(crate) fn backend_number(place: usize) -> Field {
    element(BACKEND_LIST, place, ".port")
}

/// The protocol of a backend port.
pub(crate) fn backend_protocol(place: usize) -> Field {
    element(BACKEND_LIST, place, ".protocol")
}

/// The name of a backend port.
pub(crate) fn backend_name(place: usize) -> Field {
    element(BACKEND_LIST, place, ".name")
}

/// A field of an element. No list of an image is longer than a `u32` counts.
fn element(list: &'static str, place: usize, rest: &'static str) -> Field {
    Field::Element(list, u32::try_from(place).unwrap_or(u32::MAX), rest)
}
