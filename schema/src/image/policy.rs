//! One policy as an image holds it: what it catches, where it sends it, and for whom.
//!
//! Everything here is meaning; where it was written is in [`places`](super::places).

use crate::protocol::Protocol;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;
use std::sync::Arc;

use super::{AgentAddress, FrontendAddress, Selector};

/// Namespace and name, unique within an image; shown as `NAMESPACE/NAME`. A clone is cheap and shares both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName {
    /// The namespace, from the manifest or from `--namespace` (L13).
    pub namespace: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A port from 1 to 65535 (L2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(NonZeroU16);

impl Port {
    /// The port of a number; `None` for 0.
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a connection is made to: address, port and protocol, in the order in which reports have them. Shown as
/// `10.96.0.10:53/UDP`, IPv6 in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address; never an IPv4-mapped one (L16).
    pub address: IpAddr,
    /// The port.
    pub port: Port,
    /// The protocol.
    pub protocol: Protocol,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", SocketAddr::new(self.address, self.port.get()), self.protocol)
    }
}

/// One element of a `toPorts` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSpec {
    /// The port.
    pub port: Port,
    /// The protocol.
    pub protocol: Protocol,
    /// The name in lower case (R9), where one is written.
    pub name: Option<String>,
}

impl fmt::Display for PortSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.port, self.protocol)?;
        match &self.name {
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

/// What a policy catches; ports in written order, since the first counts (R8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matcher {
    /// An address with at least one port.
    Address {
        /// The frontend address.
        ip: FrontendAddress,
        /// At least one port.
        ports: Vec<PortSpec>,
    },
    /// A Service of the policy's namespace (R3); no ports means all of them (R1).
    Service {
        /// The name of the Service.
        name: String,
        /// The listed ports.
        ports: Vec<PortSpec>,
    },
}

impl Matcher {
    /// The listed frontend ports, in written order.
    pub fn ports(&self) -> &[PortSpec] {
        match self {
            Self::Address { ports, .. } | Self::Service { ports, .. } => ports,
        }
    }
}

/// The five frontend kinds (R1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A Service with all its ports.
    ServiceAll,
    /// One port of a Service.
    ServiceSingle,
    /// Several ports of a Service.
    ServiceNamed,
    /// One port of an address.
    AddressSingle,
    /// Several ports of an address.
    AddressNamed,
}

impl Kind {
    /// R1's display name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAll => "all",
            Self::ServiceSingle => "svc-single-port",
            Self::ServiceNamed => "named-ports",
            Self::AddressSingle => "addr-single-port",
            Self::AddressNamed => "addr-named-ports",
        }
    }

    /// One frontend port is listed, so only the first backend port counts (R8).
    pub const fn is_single(self) -> bool {
        matches!(self, Self::ServiceSingle | Self::AddressSingle)
    }
}

/// Where a policy sends what it catches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Which pods of the policy's namespace (R3, R4).
    pub selector: Selector,
    /// At least one port, in written order.
    pub ports: Vec<PortSpec>,
    /// The address of every selected hostNetwork pod (`lrpc.dev/backend-address`, L15).
    pub address: Option<AgentAddress>,
}

/// What happens to a frontend that has no usable backend (L5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// Traffic goes where it would have gone without the policy.
    #[default]
    Original,
    /// Connections are refused.
    Drop,
}

impl Fallback {
    /// The value of the annotation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Drop => "drop",
        }
    }
}

/// Whose traffic is redirected (L6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clients {
    /// Every pod and every host process.
    #[default]
    All,
    /// The pod network: every pod but hostNetwork ones, and no host process.
    Pods,
    /// Every pod, hostNetwork ones too, and no host process.
    AllPods,
    /// The pods of the policy's namespace.
    Namespace,
    /// The selected pods of the policy's namespace.
    Selector(Selector),
}

/// Shows the annotation's value, a selector in canonical form.
impl fmt::Display for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Pods => f.write_str("pods"),
            Self::AllPods => f.write_str("all-pods"),
            Self::Namespace => f.write_str("namespace"),
            Self::Selector(selector) => write!(f, "selector:{selector}"),
        }
    }
}

/// One checked policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Namespace and name.
    pub name: PolicyName,
    /// What it catches.
    pub frontend: Matcher,
    /// Where it sends it.
    pub backend: Backend,
    /// `skipRedirectFromBackend`: the backends' own traffic is left alone (L8).
    pub skip: bool,
    /// `lrpc.dev/fallback` (L5).
    pub fallback: Fallback,
    /// `lrpc.dev/clients` (L6).
    pub clients: Clients,
    /// `lrpc.dev/nodes`: the nodes on which the policy acts (L7); `None` is every node.
    pub nodes: Option<Selector>,
    /// `lrpc.dev/shadow-service`: an address policy may take over a Service's address (L1).
    pub shadow_service: bool,
}

impl Policy {
    /// Which of the five kinds it is (R1).
    pub fn kind(&self) -> Kind {
        match (&self.frontend, self.frontend.ports().len()) {
            (Matcher::Service { .. }, 0) => Kind::ServiceAll,
            (Matcher::Service { .. }, 1) => Kind::ServiceSingle,
            (Matcher::Service { .. }, _) => Kind::ServiceNamed,
            (Matcher::Address { .. }, 0 | 1) => Kind::AddressSingle,
            (Matcher::Address { .. }, _) => Kind::AddressNamed,
        }
    }

    /// Whether port names take part in choosing backends (R9): in the named kinds, and in the all-ports
    /// kind with several backend ports.
    pub fn do_names_count(&self) -> bool {
        match self.kind() {
            Kind::ServiceNamed | Kind::AddressNamed => true,
            Kind::ServiceAll => self.backend.ports.len() > 1,
            Kind::ServiceSingle | Kind::AddressSingle => false,
        }
    }

    /// The backend ports that count: beside one frontend port only the first (R8).
    pub fn counting_backend_ports(&self) -> &[PortSpec] {
        let ports = self.backend.ports.as_slice();
        if self.kind().is_single() { ports.get(..1).unwrap_or_default() } else { ports }
    }
}
