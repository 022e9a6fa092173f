//! The inventory: what a cluster runs, as far as a redirect depends on it.
//!
//! ```text
//! dump ─document─▶ text ─read, wire─▶ objects ─builder─▶ Store ─snapshot─▶ Inventory
//! ```
//! [`objects`] are the parts of Pods, Services and Nodes that `link` asks about, [`wire`] takes them out of
//! Kubernetes' own form, [`read`] walks through dumps ([`document`] cuts them into documents), [`builder`]
//! gathers them with what was wrong ([`problem`]), [`store`] decides between two versions of one object, and
//! [`index`] answers the questions that must not cost a walk over everything.
//!
//! It knows no policy and opens no file. INVARIANT: of two versions of one object the newer counts, in
//! whatever order they are given; where neither is known to be newer the later, and a [`Problem`] says so.

mod builder;
mod document;
mod index;
mod objects;
mod problem;
mod read;
mod store;
mod wire;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use lrpc_schema::image::Selector;

use crate::mapset::Frontend;
use index::{ByLabel, Index};

pub use builder::Builder;
pub use index::{Owner, Ownership};
pub use objects::{
    ContainerPort, Hidden, Labels, Node, Object, Pod, Revision, Service, ServicePort, TargetPort,
    UncountedPort,
};
pub use problem::{Again, PAGES, Problem};
pub use read::{Cut, ReadError, Wrong};
pub use store::{Key, Met, Store};

/// What a cluster runs, as it was at one moment.
#[derive(Debug, Default)]
pub struct Inventory {
    pods: Vec<Arc<Pod>>,
    services: Vec<Arc<Service>>,
    nodes: BTreeMap<Arc<str>, Arc<Node>>,
    namespaces: BTreeSet<Arc<str>>,
    index: Index,
    /// Made when it is first asked for: most links never are.
    by_label: OnceLock<ByLabel>,
    /// The place of the first Service of each name, made as `by_label` is.
    by_service_name: OnceLock<HashMap<Arc<str>, usize>>,
}

impl Inventory {
    /// Every pod, sorted by namespace and name.
    pub fn pods(&self) -> impl ExactSizeIterator<Item = &Pod> {
        self.pods.iter().map(|pod| &**pod)
    }

    /// The pod of a namespace and name.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        let key = |pod: &Arc<Pod>| (&*pod.reference.namespace, &*pod.reference.name).cmp(&(namespace, name));
        Some(self.pods.get(self.pods.binary_search_by(key).ok()?)?)
    }

    /// The pods of a namespace that are scheduled on a node, sorted by name.
    pub fn pods_on(&self, node: &str, namespace: &str) -> impl Iterator<Item = &Pod> {
        self.index.pods_on(node, namespace).iter().filter_map(|&place| Some(&**self.pods.get(place)?))
    }

    /// The pods that are scheduled on a node, sorted by namespace and name.
    pub fn pods_of_node(&self, node: &str) -> impl Iterator<Item = &Pod> {
        self.index.pods_of_node(node).into_iter().filter_map(|place| Some(&**self.pods.get(place)?))
    }

    /// The pods of a namespace with these labels, on any node or on none; none where no label is asked for.
    pub fn pods_with<'a>(&'a self, namespace: &'a str, labels: &'a Labels) -> impl Iterator<Item = &'a Pod> {
        let index = self.by_label.get_or_init(|| ByLabel::new(&self.pods));
        let rarest = labels
            .iter()
            .map(|(key, value)| index.places(namespace, key, value))
            .min_by_key(|places| places.len())
            .unwrap_or_default();
        let pods = rarest.iter().filter_map(|&place| Some(&**self.pods.get(place as usize)?));
        pods.filter(move |pod| *pod.reference.namespace == *namespace && pod.has_labels(labels))
    }

    /// The pods of a namespace that a selector matches, on any node or on none.
    pub fn pods_matching<'a>(
        &'a self,
        namespace: &'a str,
        selector: &'a Selector,
    ) -> Box<dyn Iterator<Item = &'a Pod> + 'a> {
        let matches = |pod: &&Pod| selector.matches(&pod.labels);
        match selector.required_label() {
            Some((key, value)) => {
                let index = self.by_label.get_or_init(|| ByLabel::new(&self.pods));
                let places = index.places(namespace, key, value).iter();
                let pods = places.filter_map(|&place| Some(&**self.pods.get(place as usize)?));
                Box::new(pods.filter(|pod| *pod.reference.namespace == *namespace).filter(matches))
            }
            None => {
                let first = self.pods.partition_point(|pod| *pod.reference.namespace < *namespace);
                let pods = self.pods.iter().skip(first).map(|pod| &**pod);
                Box::new(pods.take_while(|pod| *pod.reference.namespace == *namespace).filter(matches))
            }
        }
    }

    /// Every Service, sorted by namespace and name.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &Service> {
        self.services.iter().map(|service| &**service)
    }

    /// The Service of a namespace and name.
    pub fn service(&self, namespace: &str, name: &str) -> Option<&Service> {
        let key =
            |service: &Arc<Service>| (&*service.name.namespace, &*service.name.name).cmp(&(namespace, name));
        Some(self.services.get(self.services.binary_search_by(key).ok()?)?)
    }

    /// The first Service of a name, in whatever namespace.
    pub fn service_elsewhere(&self, name: &str) -> Option<&Service> {
        let places = || {
            let services = self.services.iter().enumerate().rev();
            services.map(|(place, service)| (service.name.name.clone(), place)).collect()
        };
        let place = *self.by_service_name.get_or_init(places).get(name)?;
        self.services.get(place).map(|service| &**service)
    }

    /// The Service that a frontend belongs to (L1): by its cluster, external or load-balancer address, or
    /// as a node port.
    pub fn owner(&self, frontend: &Frontend) -> Option<Owner<'_>> {
        let (place, ownership) = self.index.owner(frontend)?;
        Some(Owner { service: &self.services.get(place)?.name, ownership })
    }

    /// Every Node, sorted by name.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.values().map(|node| &**node)
    }

    /// The Node of a name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        Some(self.nodes.get(name)?)
    }

    /// The names of the Namespaces, where the dumps hold any.
    pub fn namespaces(&self) -> impl ExactSizeIterator<Item = &str> {
        self.namespaces.iter().map(|name| &**name)
    }
}

#[cfg(test)]
mod tests;
