//! The inventory: what a cluster runs, as far as a redirect depends on it.
//!
//! [`objects`] are the parts of Pods, Services and Nodes that `link` asks about, [`wire`] takes them out of
//! Kubernetes' own form, [`read`] walks through dumps, and [`index`] answers the questions that must not
//! cost a walk over everything.
//!
//! It knows no policy and opens no file. INVARIANT: an inventory depends on the objects in it, not on the
//! order in which they were given (of two with one name the later counts, and a [`Problem`] says so).

mod index;
mod objects;
mod read;
mod wire;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use crate::mapset::{Frontend, ServiceName};
use index::Index;

pub use index::{Owner, Ownership};
pub use objects::{ContainerPort, Hidden, Labels, Node, Pod, Service, ServicePort, TargetPort};
pub use read::ReadError;

/// Collects an inventory out of dumps.
#[derive(Debug, Default)]
pub struct Builder {
    pods: BTreeMap<(Arc<str>, Arc<str>), Pod>,
    services: BTreeMap<ServiceName, Service>,
    nodes: BTreeMap<Arc<str>, Node>,
    namespaces: BTreeSet<Arc<str>>,
    problems: Vec<Problem>,
    ignored: usize,
    strings: HashSet<Arc<str>>,
    labels: HashSet<Arc<Labels>>,
}

impl Builder {
    /// Adds the objects of one dump (YAML or JSON, a list or single objects); `name` is the file's, for
    /// messages.
    ///
    /// # Errors
    /// [`ReadError`] where the text is neither; what stood before the mistake is kept.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), ReadError> {
        self.read(name, text.as_bytes())
    }

    /// [`add`](Self::add) for a dump of any size: no more than one object of it is in memory at a time.
    ///
    /// # Errors
    /// As [`add`](Self::add), and where `reader` fails.
    pub fn read(&mut self, name: &str, reader: impl BufRead) -> Result<(), ReadError> {
        read::objects(name, reader, &mut |object| self.object(name, object))
    }

    /// The inventory of everything that was added.
    pub fn build(self) -> Inventory {
        let pods: Vec<Pod> = self.pods.into_values().collect();
        let services: Vec<Service> = self.services.into_values().collect();
        let index = Index::new(&pods, &services, &self.nodes);
        Inventory {
            pods,
            services,
            nodes: self.nodes,
            namespaces: self.namespaces,
            problems: self.problems,
            ignored: self.ignored,
            index,
        }
    }

    fn object(&mut self, file: &str, object: wire::Object) {
        match object {
            wire::Object::Pod(pod) => {
                let pod = self.share(pod);
                let key = (pod.reference.namespace.clone(), pod.reference.name.clone());
                let shown = format!("Pod `{}`", pod.reference);
                if self.pods.insert(key, pod).is_some() {
                    self.given_twice(file, shown);
                }
            }
            wire::Object::Service(service) => {
                let shown = format!("Service `{}`", service.name);
                if self.services.insert(service.name.clone(), service).is_some() {
                    self.given_twice(file, shown);
                }
            }
            wire::Object::Node(node) => {
                let shown = format!("Node `{}`", node.name);
                if self.nodes.insert(node.name.clone(), node).is_some() {
                    self.given_twice(file, shown);
                }
            }
            wire::Object::Namespace(name) => {
                self.namespaces.insert(name);
            }
            wire::Object::Ignored => self.ignored += 1,
            wire::Object::Broken { object, message } => {
                self.problems.push(Problem { file: file.into(), object, message });
            }
        }
    }

    fn given_twice(&mut self, file: &str, object: String) {
        let message = "is given twice; the later one counts".into();
        self.problems.push(Problem { file: file.into(), object, message });
    }

    /// Keeps each namespace, node name and label set once: the pods of one controller have them in common.
    fn share(&mut self, mut pod: Pod) -> Pod {
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

/// An object that was skipped, or counts only in part; shown as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Kind and name, `Pod `default/a``.
    pub object: String,
    /// What is wrong with it, as the rest of the sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.file, self.object, self.message)
    }
}

/// What a cluster runs.
#[derive(Debug, Default)]
pub struct Inventory {
    pods: Vec<Pod>,
    services: Vec<Service>,
    nodes: BTreeMap<Arc<str>, Node>,
    namespaces: BTreeSet<Arc<str>>,
    problems: Vec<Problem>,
    ignored: usize,
    index: Index,
}

impl Inventory {
    /// Every pod, sorted by namespace and name.
    pub fn pods(&self) -> &[Pod] {
        &self.pods
    }

    /// The pod of a namespace and name.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        let key = |pod: &Pod| (&*pod.reference.namespace, &*pod.reference.name).cmp(&(namespace, name));
        self.pods.get(self.pods.binary_search_by(key).ok()?)
    }

    /// The pods of a namespace that are scheduled on a node, sorted by name.
    pub fn pods_on(&self, node: &str, namespace: &str) -> impl Iterator<Item = &Pod> {
        self.index.pods_on(node, namespace).iter().filter_map(|&place| self.pods.get(place))
    }

    /// Every Service, sorted by namespace and name.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The Service of a namespace and name.
    pub fn service(&self, namespace: &str, name: &str) -> Option<&Service> {
        let key = |service: &Service| (&*service.name.namespace, &*service.name.name).cmp(&(namespace, name));
        self.services.get(self.services.binary_search_by(key).ok()?)
    }

    /// The Service that a frontend belongs to (L1): by its cluster, external or load-balancer address, or
    /// as a node port.
    pub fn owner(&self, frontend: &Frontend) -> Option<Owner<'_>> {
        let (place, ownership) = self.index.owner(frontend)?;
        Some(Owner { service: &self.services.get(place)?.name, ownership })
    }

    /// Every Node, sorted by name.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.values()
    }

    /// The Node of a name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// The names of the Namespaces, where the dumps hold any.
    pub fn namespaces(&self) -> impl ExactSizeIterator<Item = &str> {
        self.namespaces.iter().map(|name| &**name)
    }

    /// What was skipped, in the order in which it was met.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Number of objects of other kinds.
    pub fn ignored(&self) -> usize {
        self.ignored
    }
}

#[cfg(test)]
mod tests;
