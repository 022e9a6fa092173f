//! The questions that `link` asks for every policy, answered without a walk over the inventory: which pods
//! of a namespace run on a node, and whose a frontend is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use lrpc_schema::image::{Port, Protocol};

use super::{Node, Pod, Service};
use crate::mapset::{Frontend, ServiceName};

/// How a Service comes to own a frontend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ownership {
    /// As its cluster address.
    Cluster,
    /// As its external address.
    External,
    /// As its load balancer's address.
    Balanced,
    /// As a node port on an address of a Node.
    NodePort,
}

impl Ownership {
    /// What the frontend is to the Service, with its article.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "a cluster address",
            Self::External => "an external address",
            Self::Balanced => "a load-balancer address",
            Self::NodePort => "a node port",
        }
    }
}

/// Whose a frontend is (L1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The Service.
    pub service: &'a ServiceName,
    /// As what it owns the frontend.
    pub ownership: Ownership,
}

/// A node port, without the address: it is served on all addresses of a family.
type NodePort = (Port, Protocol, bool);

/// Places in the inventory's lists. Where two Services claim one frontend, the first by name is named.
#[derive(Debug, Default)]
pub(super) struct Index {
    pods: HashMap<Arc<str>, HashMap<Arc<str>, Vec<usize>>>,
    frontends: HashMap<Frontend, (usize, Ownership)>,
    node_ports: HashMap<NodePort, usize>,
    node_addresses: HashSet<IpAddr>,
}

impl Index {
    pub(super) fn new(
        pods: &[Arc<Pod>],
        services: &[Arc<Service>],
        nodes: &BTreeMap<Arc<str>, Arc<Node>>,
    ) -> Self {
        let mut index = Self::default();
        for (place, pod) in pods.iter().enumerate() {
            if let Some(node) = &pod.node {
                let namespaces = index.pods.entry(node.clone()).or_default();
                namespaces.entry(pod.reference.namespace.clone()).or_default().push(place);
            }
        }
        for (place, service) in services.iter().enumerate() {
            index.service(place, service);
        }
        index.node_addresses = nodes.values().flat_map(|node| node.addresses.iter().copied()).collect();
        index
    }

    fn service(&mut self, place: usize, service: &Service) {
        let cluster = service.cluster.as_deref().unwrap_or_default();
        for service_port in &service.ports {
            let Some(protocol) = service_port.protocol else { continue };
            let frontend = |&address| Frontend { address, port: service_port.port, protocol };
            for frontend in cluster.iter().map(frontend) {
                self.frontends.entry(frontend).or_insert((place, Ownership::Cluster));
            }
            for frontend in service.external.iter().map(frontend) {
                self.frontends.entry(frontend).or_insert((place, Ownership::External));
            }
            for frontend in service.balanced.iter().map(frontend) {
                self.frontends.entry(frontend).or_insert((place, Ownership::Balanced));
            }
            if let Some(port) = service_port.node_port {
                for (is_v6, served) in [(false, service.node_ports_v4), (true, service.node_ports_v6)] {
                    if served {
                        self.node_ports.entry((port, protocol, is_v6)).or_insert(place);
                    }
                }
            }
        }
    }

    pub(super) fn pods_on(&self, node: &str, namespace: &str) -> &[usize] {
        self.pods.get(node).and_then(|namespaces| namespaces.get(namespace)).map_or(&[], Vec::as_slice)
    }

    /// The places of the pods of a node, sorted.
    pub(super) fn pods_of_node(&self, node: &str) -> Vec<usize> {
        let namespaces = self.pods.get(node).into_iter().flatten();
        let mut places: Vec<_> = namespaces.flat_map(|(_, places)| places.iter().copied()).collect();
        places.sort_unstable();
        places
    }

    pub(super) fn owner(&self, frontend: &Frontend) -> Option<(usize, Ownership)> {
        if let Some(owner) = self.frontends.get(frontend) {
            return Some(*owner);
        }
        if !self.node_addresses.contains(&frontend.address) {
            return None;
        }
        let port = (frontend.port, frontend.protocol, frontend.address.is_ipv6());
        self.node_ports.get(&port).map(|&place| (place, Ownership::NodePort))
    }
}

/// The places of pods by one label of theirs in their namespace. Labels that share a hash share a list, so
/// whoever asks looks at each pod again.
#[derive(Debug, Default)]
pub(super) struct ByLabel(HashMap<u64, Vec<u32>>);

impl ByLabel {
    pub(super) fn new(pods: &[Arc<Pod>]) -> Self {
        let mut lists: HashMap<u64, Vec<u32>> = HashMap::new();
        for (pod, place) in pods.iter().zip(0..) {
            for (key, value) in pod.labels.iter() {
                lists.entry(hash(&pod.reference.namespace, key, value)).or_default().push(place);
            }
        }
        Self(lists)
    }

    pub(super) fn places(&self, namespace: &str, key: &str, value: &str) -> &[u32] {
        self.0.get(&hash(namespace, key, value)).map_or(&[], Vec::as_slice)
    }
}

fn hash(namespace: &str, key: &str, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (namespace, key, value).hash(&mut hasher);
    hasher.finish()
}
