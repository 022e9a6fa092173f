//! One frontend of one node: who owns it, what happens to its connections, and why.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use lrpc_schema::image::{Clients, Endpoint, Fallback, PolicyName, Port};

/// What a connection is made to before anything is redirected.
pub type Frontend = Endpoint;

/// Namespace and name of a Service; shown as `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A pod by the names that the API server and the kubelet know it by; shown as `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodRef {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name.
    pub name: Arc<str>,
    /// The UID that names its cgroup: of a mirror pod the one in its annotation
    /// `kubernetes.io/config.mirror`, of every other pod its own (L8). `None` where the inventory has none.
    pub uid: Option<Arc<str>>,
}

impl fmt::Display for PodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One place to which a frontend's connections go. The protocol is the frontend's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    /// The pod's address, its node's for a hostNetwork pod, or the one of `lrpc.dev/backend-address` (L15).
    pub address: IpAddr,
    /// The port.
    pub port: Port,
    /// The pods that serve here, sorted; at least one.
    pub pods: Vec<PodRef>,
}

/// Why a frontend is not redirected, in the order of docs/semantics.md: a row names the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The policy does not act on this node (L7).
    NodeNotSelected,
    /// The address belongs to a Service, and the policy does not say that it may shadow it (L1).
    AddressOwnedByService,
    /// The address is outside the allow-list (L14).
    AddressNotAllowed,
    /// A ready pod that must be exempt has no UID (L8).
    BackendNotIdentified,
    /// The all-ports policy has no backend port for this Service port (L4).
    PortNotServed,
    /// No selected pod of the node is ready (R16).
    NoReadyBackend,
    /// Pods are ready, but none serves this frontend's family, protocol, port and name (L4).
    NoUsableBackend,
}

impl Reason {
    /// The reason in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NodeNotSelected => "node-not-selected",
            Self::AddressOwnedByService => "address-owned-by-service",
            Self::AddressNotAllowed => "address-not-allowed",
            Self::BackendNotIdentified => "backend-not-identified",
            Self::PortNotServed => "port-not-served",
            Self::NoReadyBackend => "no-ready-backend",
            Self::NoUsableBackend => "no-usable-backend",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happens to connections, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// They go to a backend.
    Redirect,
    /// They go where they would have gone without the policy.
    Original,
    /// They are refused.
    Drop,
}

impl State {
    /// The state in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Original => "original",
            Self::Drop => "drop",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happens to a frontend's connections: backends exactly where it is redirected, a reason exactly
/// where it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They go to one of these, sorted by address and port; at least one.
    Redirect(Vec<Backend>),
    /// They go where they would have gone without the policy.
    Original(Reason),
    /// They are refused (`lrpc.dev/fallback: drop`, L5).
    Drop(Reason),
}

/// One frontend with its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is caught.
    pub frontend: Frontend,
    /// The policy that owns it.
    pub policy: PolicyName,
    /// The Service that a service policy names; `None` for address policies.
    pub service: Option<ServiceName>,
    /// What happens to its connections.
    pub outcome: Outcome,
    /// The policy has `skipRedirectFromBackend` (L8).
    pub skip_flag: bool,
    /// The pods whose own connections are left alone (L8), sorted; empty where the state is `original` or
    /// the policy lacks the flag.
    pub skip: Arc<[PodRef]>,
    /// What the policy says of a frontend without a usable backend (L5).
    pub fallback: Fallback,
    /// Whose connections are redirected (L6).
    pub clients: Clients,
    /// The pods of the node that [`clients`](Self::clients) selects where it is `namespace` or a selector,
    /// sorted; where the policy says `fallback: drop`, those of the node that it does not select, so that a pod which
    /// starts after the link is a client (L6). Empty where the state is `original` or where no list is needed.
    pub client_pods: Arc<[PodRef]>,
}

impl Row {
    /// The state in one word.
    pub fn state(&self) -> State {
        match self.outcome {
            Outcome::Redirect(_) => State::Redirect,
            Outcome::Original(_) => State::Original,
            Outcome::Drop(_) => State::Drop,
        }
    }

    /// Why it is not redirected; `None` exactly where it is.
    pub fn reason(&self) -> Option<Reason> {
        match self.outcome {
            Outcome::Redirect(_) => None,
            Outcome::Original(reason) | Outcome::Drop(reason) => Some(reason),
        }
    }

    /// Where its connections go; empty exactly where it is not redirected.
    pub fn backends(&self) -> &[Backend] {
        match &self.outcome {
            Outcome::Redirect(backends) => backends,
            Outcome::Original(_) | Outcome::Drop(_) => &[],
        }
    }
}
