//! A frontend as policies name it, before any inventory says what address a Service has.

use std::fmt;

use lrpc_schema::image::{Matcher, Policy, Port, PortSpec, Protocol};

use crate::mapset::Frontend;

/// What became of something between two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It is in the new state alone.
    Added,
    /// It is in the old state alone.
    Removed,
    /// It is in both and not the same.
    Changed,
}

impl Change {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }

    /// The change from one state to the other; `None` where neither has it.
    pub(super) fn between<T>(old: Option<T>, new: Option<T>) -> Option<Self> {
        match (old, new) {
            (Some(_), Some(_)) => Some(Self::Changed),
            (Some(_), None) => Some(Self::Removed),
            (None, Some(_)) => Some(Self::Added),
            (None, None) => None,
        }
    }
}

/// What a policy catches, in the order of reports: addresses (IPv4 first, numerically) before Services, a
/// Service's every port (R1) before its single ones. Shown as `10.96.0.10:53/UDP`,
/// `service:kube-system/kube-dns:53/UDP` or `service:kube-system/kube-dns:*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrontendName<'a> {
    /// An address with a port.
    Address(Frontend),
    /// A port of a Service.
    Service {
        /// The Service's namespace, which is the policy's (R3).
        namespace: &'a str,
        /// The Service's name.
        name: &'a str,
        /// The port; `None` is every port.
        port: Option<(Port, Protocol)>,
    },
}

impl<'a> FrontendName<'a> {
    /// Every frontend that a policy speaks of, in written order, with its port in the policy's list.
    pub(super) fn all(policy: &'a Policy) -> Vec<(Self, Option<&'a PortSpec>)> {
        match &policy.frontend {
            Matcher::Address { ip, ports } => {
                let address = |spec: &'a PortSpec| {
                    let (port, protocol) = (spec.port, spec.protocol);
                    let frontend = Frontend { address: ip.get(), port, protocol };
                    (Self::Address(frontend), Some(spec))
                };
                ports.iter().map(address).collect()
            }
            Matcher::Service { name, ports } => {
                let service = |port| Self::Service { namespace: &policy.name.namespace, name, port };
                match ports.as_slice() {
                    [] => vec![(service(None), None)],
                    ports => {
                        let listed =
                            |spec: &'a PortSpec| (service(Some((spec.port, spec.protocol))), Some(spec));
                        ports.iter().map(listed).collect()
                    }
                }
            }
        }
    }

    /// Every port of the Service that a single port belongs to; `None` for anything else.
    pub(super) fn whole_service(self) -> Option<Self> {
        match self {
            Self::Service { namespace, name, port: Some(_) } => {
                Some(Self::Service { namespace, name, port: None })
            }
            Self::Service { port: None, .. } | Self::Address(_) => None,
        }
    }

    /// Port and protocol; `None` is every port.
    pub(super) fn port(self) -> Option<(Port, Protocol)> {
        match self {
            Self::Address(frontend) => Some((frontend.port, frontend.protocol)),
            Self::Service { port, .. } => port,
        }
    }
}

impl fmt::Display for FrontendName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(frontend) => frontend.fmt(f),
            Self::Service { namespace, name, port: Some((port, protocol)) } => {
                write!(f, "service:{namespace}/{name}:{port}/{protocol}")
            }
            Self::Service { namespace, name, port: None } => write!(f, "service:{namespace}/{name}:*"),
        }
    }
}
