//! What is known of a cluster: filled by dumps, one object after the other, or kept up to date by watches.
//!
//! An object is known by kind, namespace and name. INVARIANT: of two versions of one object (one UID) the
//! newer stays, in whatever order they come; where neither is known to be newer, the later.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::Inventory;
use super::index::Index;
use super::objects::{Labels, Node, Object, Pod, Revision, Service};
use crate::mapset::ServiceName;

/// The objects of a cluster.
#[derive(Debug, Default)]
pub struct Store {
    pods: BTreeMap<(Arc<str>, Arc<str>), Kept<Pod>>,
    services: BTreeMap<ServiceName, Kept<Service>>,
    nodes: BTreeMap<Arc<str>, Kept<Node>>,
    namespaces: BTreeSet<Arc<str>>,
    shared: Shared,
}

#[derive(Debug)]
struct Kept<T> {
    object: Arc<T>,
    revision: Revision,
}

/// Names an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A pod, by namespace and name.
    Pod(Arc<str>, Arc<str>),
    /// A Service.
    Service(ServiceName),
    /// A Node, by name.
    Node(Arc<str>),
    /// A Namespace, by name.
    Namespace(Arc<str>),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod(namespace, name) => write!(f, "Pod `{namespace}/{name}`"),
            Self::Service(name) => write!(f, "Service `{name}`"),
            Self::Node(name) => write!(f, "Node `{name}`"),
            Self::Namespace(name) => write!(f, "Namespace `{name}`"),
        }
    }
}

impl Object {
    /// The object's name in a [`Store`].
    pub fn key(&self) -> Key {
        match self {
            Self::Pod(pod, _) => Key::Pod(pod.reference.namespace.clone(), pod.reference.name.clone()),
            Self::Service(service, _) => Key::Service(service.name.clone()),
            Self::Node(node, _) => Key::Node(node.name.clone()),
            Self::Namespace(name) => Key::Namespace(name.clone()),
        }
    }
}

/// What an [`upsert`](Store::upsert) met under the object's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Nothing: the object is new.
    Nothing,
    /// The same, in everything that is kept.
    Same,
    /// An older version, which the object has replaced.
    Older,
    /// A newer version, which stays.
    Newer,
    /// Another, of which it cannot be told whether it is older; the object has replaced it.
    Another,
}

impl Store {
    /// Takes an object over, unless a newer version of it is known.
    pub fn upsert(&mut self, object: Object) -> Met {
        match object {
            Object::Pod(pod, revision) => {
                let pod = self.shared.pod(pod);
                let key = (pod.reference.namespace.clone(), pod.reference.name.clone());
                upsert(&mut self.pods, key, pod, revision)
            }
            Object::Service(service, revision) => {
                upsert(&mut self.services, service.name.clone(), service, revision)
            }
            Object::Node(node, revision) => upsert(&mut self.nodes, node.name.clone(), node, revision),
            Object::Namespace(name) => {
                if self.namespaces.insert(name) {
                    Met::Nothing
                } else {
                    Met::Same
                }
            }
        }
    }

    /// Forgets an object; says whether it was known.
    pub fn remove(&mut self, key: &Key) -> bool {
        match key {
            Key::Pod(namespace, name) => self.pods.remove(&(namespace.clone(), name.clone())).is_some(),
            Key::Service(name) => self.services.remove(name).is_some(),
            Key::Node(name) => self.nodes.remove(name).is_some(),
            Key::Namespace(name) => self.namespaces.remove(name),
        }
    }

    /// What is known now, which later changes do not touch. The objects themselves are shared.
    pub fn snapshot(&self) -> Inventory {
        let pods: Vec<_> = self.pods.values().map(|kept| kept.object.clone()).collect();
        let services: Vec<_> = self.services.values().map(|kept| kept.object.clone()).collect();
        let node = |(name, kept): (&Arc<str>, &Kept<Node>)| (name.clone(), kept.object.clone());
        let nodes: BTreeMap<_, _> = self.nodes.iter().map(node).collect();
        let index = Index::new(&pods, &services, &nodes);
        let namespaces = self.namespaces.clone();
        let (by_label, by_service_name) = (OnceLock::new(), OnceLock::new());
        Inventory { pods, services, nodes, namespaces, index, by_label, by_service_name }
    }
}

fn upsert<K: Ord, T: PartialEq>(
    objects: &mut BTreeMap<K, Kept<T>>,
    key: K,
    object: T,
    revision: Revision,
) -> Met {
    use std::collections::btree_map::Entry;

    let mut entry = match objects.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(Kept { object: Arc::new(object), revision });
            return Met::Nothing;
        }
        Entry::Occupied(entry) => entry,
    };
    let known = entry.get();
    let met = match revision.newer_than(&known.revision) {
        _ if *known.object == object => Met::Same,
        Some(true) => Met::Older,
        Some(false) => Met::Newer,
        None => Met::Another,
    };
    if revision.newer_than(&known.revision) != Some(false) {
        entry.insert(Kept { object: Arc::new(object), revision });
    }
    met
}

/// Namespaces, node names and label sets, each kept once: the pods of one controller have them in common.
#[derive(Debug, Default)]
struct Shared {
    strings: HashSet<Arc<str>>,
    labels: HashSet<Arc<Labels>>,
}

impl Shared {
    fn pod(&mut self, mut pod: Pod) -> Pod {
        pod.reference.namespace = self.string(pod.reference.namespace);
        pod.node = pod.node.map(|node| self.string(node));
        pod.labels = match self.labels.get(&pod.labels) {
            Some(labels) => labels.clone(),
            None => {
                self.labels.insert(pod.labels.clone());
                pod.labels
            }
        };
        pod
    }

    fn string(&mut self, string: Arc<str>) -> Arc<str> {
        match self.strings.get(&string) {
            Some(known) => known.clone(),
            None => {
                self.strings.insert(string.clone());
                string
            }
        }
    }
}
