//! One frontend of a node, as `link` and `dump` print it.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::net::SocketAddr;

use lrpc_loader::mapset::{Backend, PodRef, Row};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct RowView {
    address: IpAddr,
    port: u16,
    protocol: &'static str,
    policy: Option<String>,
    service: Option<String>,
    state: &'static str,
    reason: Option<&'static str>,
    backends: Vec<BackendView>,
    skip: Vec<String>,
    clients: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct BackendView {
    address: IpAddr,
    port: u16,
    pods: Vec<String>,
}

impl RowView {
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            address: row.frontend.address,
            port: row.frontend.port.get(),
            protocol: row.frontend.protocol.as_str(),
            policy: Some(row.policy.to_string()),
            service: row.service.as_ref().map(ToString::to_string),
            state: row.state().as_str(),
            reason: row.reason().map(|reason| reason.as_str()),
            backends: row.backends().iter().map(BackendView::of).collect(),
            skip: names(&row.skip),
            clients: Some(row.clients.to_string()),
        }
    }

    /// One line: frontend, what happens, and by whose wish.
    pub(crate) fn render(&self) -> String {
        let mut text = format!("{}/{}", SocketAddr::new(self.address, self.port), self.protocol);
        // Writing to a `String` cannot fail, here and below.
        let _ = write!(text, "  {}", self.state);
        for backend in &self.backends {
            let _ = write!(text, "  {}", SocketAddr::new(backend.address, backend.port));
            if !backend.pods.is_empty() {
                let _ = write!(text, " ({})", backend.pods.join(", "));
            }
        }
        if let Some(reason) = self.reason {
            let _ = write!(text, "  {reason}");
        }
        if let Some(policy) = &self.policy {
            let _ = write!(text, "  policy {policy}");
        }
        if let Some(service) = &self.service {
            let _ = write!(text, "  service {service}");
        }
        if !self.skip.is_empty() {
            let _ = write!(text, "  not from {}", self.skip.join(", "));
        }
        if let Some(clients) = self.clients.as_ref().filter(|clients| *clients != "all") {
            let _ = write!(text, "  clients {clients}");
        }
        text
    }
}

impl BackendView {
    fn of(backend: &Backend) -> Self {
        Self { address: backend.address, port: backend.port.get(), pods: names(&backend.pods) }
    }
}

fn names(pods: &[PodRef]) -> Vec<String> {
    pods.iter().map(ToString::to_string).collect()
}
