//! Policies as typed values, each with its place.
//!
//! What a manifest leaves out, and what was reported as wrong, is `None`; a check looks at what is there
//! and so never reports one mistake twice. Spans travel with values and do not take part in equality.

use std::sync::Arc;

use lrpc_schema::image::{
    AgentAddress, Clients, Fallback, FrontendAddress, PolicyName, Port, Protocol, Selector,
};

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The kind of a policy's document.
pub(crate) const KIND: &str = "CiliumLocalRedirectPolicy";

/// A value with its place; equality is on the value alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T> Spanned<T> {
    pub(crate) fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: map(self.value), span: self.span }
    }
}

/// One policy as it is written.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) source: Source,
    /// Where the policy as a whole stands: its name, else what is nearest to one.
    pub(crate) at: Span,
    pub(crate) name: Option<Spanned<Arc<str>>>,
    pub(crate) namespace: Namespace,
    pub(crate) frontend: Option<Frontend>,
    pub(crate) backend: Backend,
    pub(crate) skip: bool,
    pub(crate) annotations: Annotations,
    /// Its number among the policies of its file, under which its places are kept.
    pub(crate) place: u32,
    pub(crate) problems: Vec<Diagnostic>,
}

/// The namespace of a policy.
#[derive(Debug)]
pub(crate) enum Namespace {
    Written(Spanned<Arc<str>>),
    /// Left out or empty, so that L13 decides.
    Absent,
    /// Written and reported.
    Wrong,
}

/// What a policy catches.
#[derive(Debug)]
pub(crate) enum Frontend {
    Address { ip: Option<Spanned<FrontendAddress>>, ports: Ports },
    Service { name: Option<Spanned<String>>, namespace: Option<Spanned<String>>, ports: Ports },
}

impl Frontend {
    pub(crate) fn ports(&self) -> &Ports {
        match self {
            Self::Address { ports, .. } | Self::Service { ports, .. } => ports,
        }
    }
}

/// A `toPorts` list.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    pub(crate) list: Vec<PortInfo>,
    /// Each port that is written has been understood as far as rules over the list need it.
    pub(crate) is_whole: bool,
}

/// One element of a `toPorts` list.
#[derive(Debug)]
pub(crate) struct PortInfo {
    /// Where it begins.
    pub(crate) at: Span,
    pub(crate) port: Option<Spanned<Port>>,
    pub(crate) protocol: Option<Spanned<Protocol>>,
    pub(crate) name: PortName,
}

impl PortInfo {
    /// The name, where one is written.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.written().map(|name| name.value.as_str())
    }
}

/// The name of a port, in lower case.
#[derive(Debug)]
pub(crate) enum PortName {
    Absent,
    /// Written and reported.
    Wrong,
    Written(Spanned<String>),
}

impl PortName {
    pub(crate) fn written(&self) -> Option<&Spanned<String>> {
        match self {
            Self::Written(name) => Some(name),
            Self::Absent | Self::Wrong => None,
        }
    }
}

/// Where a policy sends what it catches.
#[derive(Debug, Default)]
pub(crate) struct Backend {
    pub(crate) selector: Option<Spanned<Selector>>,
    pub(crate) ports: Ports,
}

/// The `lrpc.dev/` annotations.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    pub(crate) fallback: Fallback,
    pub(crate) clients: Clients,
    pub(crate) nodes: Option<Selector>,
    pub(crate) backend_address: Option<Spanned<AgentAddress>>,
    pub(crate) shadow_service: bool,
}

impl Policy {
    /// Namespace and name; `None` where either is missing.
    pub(crate) fn policy_name(&self, default_namespace: Option<&Arc<str>>) -> Option<PolicyName> {
        let namespace = match &self.namespace {
            Namespace::Written(namespace) => Arc::clone(&namespace.value),
            Namespace::Absent => Arc::clone(default_namespace?),
            Namespace::Wrong => return None,
        };
        let name = Arc::clone(&self.name.as_ref()?.value);
        Some(PolicyName { namespace, name })
    }

    /// The address or Service that is caught, else the policy as a whole.
    pub(crate) fn frontend_at(&self) -> Span {
        let written = match &self.frontend {
            Some(Frontend::Address { ip, .. }) => ip.as_ref().map(|ip| ip.span),
            Some(Frontend::Service { name, .. }) => name.as_ref().map(|name| name.span),
            None => None,
        };
        written.unwrap_or(self.at)
    }

    /// Several ports are listed on either side, so that each backend port must have a name (L2).
    pub(crate) fn backend_names_required(&self) -> bool {
        self.backend.ports.list.len() > 1 || self.frontend_names_required()
    }

    /// Several frontend ports are listed.
    pub(crate) fn frontend_names_required(&self) -> bool {
        self.frontend.as_ref().is_some_and(|frontend| frontend.ports().list.len() > 1)
    }

    /// Port names take part in choosing backends (R9).
    pub(crate) fn do_names_count(&self) -> bool {
        self.backend_names_required() && !self.is_single()
    }

    /// The backend ports that count.
    pub(crate) fn counting_backend_ports(&self) -> &[PortInfo] {
        let ports = self.backend.ports.list.as_slice();
        if self.is_single() { ports.get(..1).unwrap_or_default() } else { ports }
    }

    /// One frontend port is listed, so that only the first backend port counts (R8).
    pub(crate) fn is_single(&self) -> bool {
        self.frontend.as_ref().is_some_and(|frontend| frontend.ports().list.len() == 1)
    }
}
