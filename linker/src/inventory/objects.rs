//! The parts of Kubernetes objects that `link` asks about, already judged where a rule says how.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use lrpc_schema::image::{PodAddress, Port, PortSpec, Protocol};

use crate::mapset::{PodRef, ServiceName};

/// Labels, as [`Selector::matches`](lrpc_schema::image::Selector::matches) takes them.
pub type Labels = BTreeMap<String, String>;

/// An object that `link` asks about, with the version in which it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A pod.
    Pod(Pod, Revision),
    /// A Service.
    Service(Service, Revision),
    /// A Node.
    Node(Node, Revision),
    /// The name of a Namespace.
    Namespace(Arc<str>),
}

/// The version of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// The object's own UID: another UID is another object of the same name.
    pub uid: Option<Arc<str>>,
    /// Its `resourceVersion`, where that is a number.
    pub version: Option<u64>,
}

impl Revision {
    /// Whether this version came after the other; `None` where it cannot be told.
    pub(super) fn newer_than(&self, other: &Self) -> Option<bool> {
        if self.uid.is_none() || self.uid != other.uid {
            return None;
        }
        let (version, known) = (self.version?, other.version?);
        (version != known).then_some(version > known)
    }
}

/// One pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its names.
    pub reference: PodRef,
    /// Its labels.
    pub labels: Arc<Labels>,
    /// The node on which it is scheduled.
    pub node: Option<Arc<str>>,
    /// It lives in the node's network namespace, so its addresses are the node's (L15).
    pub host_network: bool,
    /// The TCP and UDP ports of its regular containers (R7); `None` where they declare no port of any
    /// protocol (R10).
    pub ports: Option<Box<[ContainerPort]>>,
    /// The TCP and UDP ports of its init containers, native sidecars among them, and ephemeral ones, which do
    /// not count (R7).
    pub uncounted: Box<[UncountedPort]>,
    /// The union of `podIP` and `podIPs`, without what is no address (R6).
    pub addresses: Vec<PodAddress>,
    /// Addresses that it is said to have and at which no other pod can reach it.
    pub unreachable: Vec<IpAddr>,
    /// Its first Ready condition is True (R4).
    pub ready: bool,
    /// It has a deletion timestamp (L9).
    pub terminating: bool,
    /// Its phase is Succeeded or Failed: neither backend nor exempt (L9).
    pub finished: bool,
}

impl Pod {
    /// Whether it can be reached at an address, and so connects from it.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|own| own.get() == address)
    }

    /// Whether it has each of these labels with its value.
    pub fn has_labels<'l>(&self, labels: impl IntoIterator<Item = (&'l String, &'l String)>) -> bool {
        labels.into_iter().all(|(key, value)| self.labels.get(key) == Some(value))
    }
}

/// One declared port of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// The number.
    pub port: Port,
    /// The protocol.
    pub protocol: Protocol,
    /// The name, compared exactly (R9).
    pub name: Option<Arc<str>>,
}

impl ContainerPort {
    /// Whether number and protocol are those of a backend port (R8).
    pub fn is(&self, spec: &PortSpec) -> bool {
        self.port == spec.port && self.protocol == spec.protocol
    }
}

/// A declared port that does not count (R7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncountedPort {
    /// The container: an init container, unless it is an ephemeral one.
    pub container: Arc<str>,
    /// It is an ephemeral container.
    pub ephemeral: bool,
    /// The port.
    pub port: ContainerPort,
}

/// One Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Namespace and name.
    pub name: ServiceName,
    /// The addresses of its ClusterIP frontends, or why it has none (R13).
    pub cluster: Result<Vec<IpAddr>, Hidden>,
    /// Its external addresses (L1).
    pub external: Vec<IpAddr>,
    /// The addresses of its load balancers with ipMode VIP (L1, R13).
    pub balanced: Vec<IpAddr>,
    /// Its ports, in written order.
    pub ports: Vec<ServicePort>,
    /// Its node ports are served for IPv4 (L1).
    pub node_ports_v4: bool,
    /// Its node ports are served for IPv6 (L1).
    pub node_ports_v6: bool,
    /// The labels of its pods; empty where it names its endpoints itself.
    pub selector: Labels,
    /// `internalTrafficPolicy: Local`: without a pod on the client's node its cluster addresses drop.
    pub local_only: bool,
    /// `sessionAffinity: ClientIP` (L20).
    pub client_affinity: bool,
}

/// Why a Service has no ClusterIP frontend (R13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hidden {
    /// `clusterIP: None`.
    Headless,
    /// The label `service.kubernetes.io/headless`.
    HeadlessLabel,
    /// `type: ExternalName`.
    ExternalName,
    /// The annotation `service.cilium.io/type` exposes another type only.
    ExposedElsewhere,
    /// No address is assigned yet.
    Unassigned,
}

impl Hidden {
    /// The reason as half a sentence about the Service.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Headless => "it is headless (`clusterIP: None`)",
            Self::HeadlessLabel => "it has the label `service.kubernetes.io/headless`",
            Self::ExternalName => "its type is ExternalName",
            Self::ExposedElsewhere => "its annotation `service.cilium.io/type` exposes another type only",
            Self::Unassigned => "it has no `clusterIP` yet",
        }
    }
}

/// One port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// The name, compared exactly (R9).
    pub name: Option<Arc<str>>,
    /// The number.
    pub port: Port,
    /// The protocol; `None` for SCTP, which has no row (L4).
    pub protocol: Option<Protocol>,
    /// The port of the pods behind it.
    pub target: TargetPort,
    /// The port on every Node.
    pub node_port: Option<Port>,
}

/// `targetPort`; where it is absent, the Service port's own number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPort {
    /// A number.
    Number(Port),
    /// The name of a container port.
    Name(Arc<str>),
}

/// One Node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: Arc<str>,
    /// Its labels (L7).
    pub labels: Labels,
    /// Its addresses, of every type.
    pub addresses: Vec<IpAddr>,
}
