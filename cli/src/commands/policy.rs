//! One policy as `inspect` shows it and `diff` compares it: the shape that scripts hold on to.

use std::fmt::{self, Write as _};

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
    /// Only what concerns one frontend is listed.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) abridged: bool,
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
        let ports = [ports(policy.frontend.ports()), ports(&policy.backend.ports)];
        Self::saying(policy, image, ports, |text| text.to_string())
    }

    /// A policy as it is shown for each of its frontends: whole where they are few. One of thousands of ports would
    /// be shown whole thousands of times, so of that only the port of the frontend, what serves it, and no long
    /// text.
    pub(crate) fn of_frontend(
        policy: &Policy,
        image: &Image,
        listed: Option<&PortSpec>,
        served: &[&PortSpec],
    ) -> Self {
        if policy.frontend.ports().len() <= FEW {
            return Self::of(policy, image);
        }
        let ports = [ports(listed), ports(served.iter().take(FEW).copied())];
        Self { abridged: true, ..Self::saying(policy, image, ports, cut) }
    }

    fn saying(
        policy: &Policy,
        image: &Image,
        [frontend, backend]: [Vec<PortView>; 2],
        say: fn(&dyn fmt::Display) -> String,
    ) -> Self {
        let (address, service) = match &policy.frontend {
            Matcher::Address { ip, .. } => (Some(ip.to_string()), None),
            Matcher::Service { name, .. } => (None, Some(format!("{}/{name}", policy.name.namespace))),
        };
        let place = image.places().and_then(|places| places.policy(&policy.name));
        Self {
            policy: policy.name.to_string(),
            kind: policy.kind().as_str(),
            frontend: FrontendView { address, service, ports: frontend },
            backend: BackendView {
                selector: say(&policy.backend.selector),
                ports: backend,
                address: policy.backend.address.map(|address| address.to_string()),
            },
            skip: policy.skip,
            fallback: policy.fallback.as_str(),
            clients: say(&policy.clients),
            nodes: policy.nodes.as_ref().map(|nodes| say(nodes)),
            shadow_service: policy.shadow_service,
            at: place.map(|place| format!("{}:{}", place.file, place.line)),
            abridged: false,
        }
    }
}

/// Ports of a policy that is shown whole for each of its frontends.
pub(crate) const FEW: usize = 16;

/// A text that is not too long to be said again and again, made no further than it is said.
pub(crate) fn cut(text: &dyn fmt::Display) -> String {
    struct Short {
        text: String,
        left: usize,
    }
    impl fmt::Write for Short {
        fn write_str(&mut self, more: &str) -> fmt::Result {
            let length = more.chars().count();
            self.text.extend(more.chars().take(self.left));
            if length > self.left {
                self.text.push('…');
                return Err(fmt::Error);
            }
            self.left -= length;
            Ok(())
        }
    }
    let mut short = Short { text: String::new(), left: 1000 };
    // An error is how it stops.
    let _ = write!(short, "{text}");
    short.text
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(truth: &bool) -> bool {
    !truth
}

fn ports<'a>(ports: impl IntoIterator<Item = &'a PortSpec>) -> Vec<PortView> {
    let view = |port: &PortSpec| PortView {
        port: port.port.get(),
        protocol: port.protocol.as_str(),
        name: port.name.clone(),
    };
    ports.into_iter().map(view).collect()
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
