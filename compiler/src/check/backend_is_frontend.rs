//! L15: a redirect to itself would send each connection back to where it was caught.

use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::{Frontend, Policy};

pub(crate) const PAGE: Page =
    page!("backend-is-frontend", Error, since "0.1.0", "the backend address of a policy is its own frontend");

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let Some(Frontend::Address { ip: Some(ip), ports }) = &policy.frontend else { return };
    let Some(backend) = policy.annotations.backend_address else { return };
    if backend.value.get() != ip.value.get() {
        return;
    }
    let backends = policy.counting_backend_ports().iter();
    let mut served = backends.filter_map(|port| Some((port.port?, port.protocol?)));
    let is_caught = |(port, protocol): &(_, _)| {
        ports.list.iter().any(|info| info.port == Some(*port) && info.protocol == Some(*protocol))
    };
    if let Some((port, protocol)) = served.find(is_caught) {
        let frontend = std::net::SocketAddr::new(ip.value.get(), port.value.get());
        out.push(
            PAGE.report(format!("the backend `{frontend}/{}` is the frontend itself", protocol.value))
                .at(&policy.source, backend.span, "leads back to the frontend")
                .related(&policy.source, ip.span, "the frontend's address")
                .help("let the agent listen on another address or port"),
        );
    }
}
