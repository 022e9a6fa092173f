//! One policy as `inspect` shows it and `diff` compares it: the shape that CONTRACT promises.

use lrpc_schema::image::{Image, Matcher, Policy, PortSpec};
use serde::Serialize;

/// One policy.
#[derive(Debug, Serialize)]
pub(crate) struct PolicyView {
    pub(crate) policy: String,
    pub(crate) kind: &'static str,
    pub(crate) frontend: FrontendView,
    pub(crate) backend: BackendView,
    pub(crate) skip: bool,
    pub(crate) fallback: &'static str,
    pub(crate) clients: String,
    pub(crate) nodes: Option<String>,
    pub(crate) shadow_service: bool,
    pub(crate) at: Option<String>,
}

/// What it catches.
#[derive(Debug, Serialize)]
pub(crate) struct FrontendView {
    pub(crate) address: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) ports: Vec<PortView>,
}

/// Where it sends that.
#[derive(Debug, Serialize)]
pub(crate) struct BackendView {
    pub(crate) selector: String,
    pub(crate) ports: Vec<PortView>,
    pub(crate) address: Option<String>,
}

/// One port of a list.
#[derive(Debug, Serialize)]
pub(crate) struct PortView {
    pub(crate) port: u16,
    pub(crate) protocol: &'static str,
    pub(crate) name: Option<String>,
}

impl PolicyView {
    pub(crate) fn of(policy: &Policy, image: &Image) -> Self {
        let (address, service) = match &policy.frontend {
            Matcher::Address { ip, .. } => (Some(ip.to_string()), None),
            Matcher::Service { name, .. } => (None, Some(format!("{}/{name}", policy.name.namespace))),
        };
        let place = image.places().and_then(|places| places.policy(&policy.name));
        Self {
            policy: policy.name.to_string(),
            kind: policy.kind().as_str(),
            frontend: FrontendView { address, service, ports: ports(policy.frontend.ports()) },
            backend: BackendView {
                selector: policy.backend.selector.to_string(),
                ports: ports(&policy.backend.ports),
                address: policy.backend.address.map(|address| address.to_string()),
            },
            skip: policy.skip,
            fallback: policy.fallback.as_str(),
            clients: policy.clients.to_string(),
            nodes: policy.nodes.as_ref().map(ToString::to_string),
            shadow_service: policy.shadow_service,
            at: place.map(|place| format!("{}:{}", place.file, place.line)),
        }
    }
}

fn ports(ports: &[PortSpec]) -> Vec<PortView> {
    ports
        .iter()
        .map(|port| PortView {
            port: port.port.get(),
            protocol: port.protocol.as_str(),
            name: port.name.clone(),
        })
        .collect()
}

/// A list of ports in words.
pub(crate) fn shown_ports(ports: &[PortView]) -> String {
    if ports.is_empty() {
        return "all ports".to_owned();
    }
    let one = |port: &PortView| match &port.name {
        Some(name) => format!("{}/{} ({name})", port.port, port.protocol),
        None => format!("{}/{}", port.port, port.protocol),
    };
    ports.iter().map(one).collect::<Vec<_>>().join(", ")
}
