//! What a policy's pods are to its Service: the Service's own, some of them, or others with an upstream of
//! their own. No node changes it.

use std::collections::{HashMap, HashSet};

use lrpc_schema::image::Policy;

use super::acts_on;
use crate::inventory::{Inventory, Labels, Pod, Service};
use crate::mapset::ServiceName;

/// Whether a Service selects a pod of its namespace.
pub(super) fn selects(service: &Service, pod: &Pod) -> bool {
    !service.selector.is_empty() && pod.has_labels(&service.selector)
}

/// The pods that a policy reaches and its Service leaves out, where the Service has others of them: somebody
/// chose. A cache before a Service has none of its pods, an agent behind its own Service all.
pub(super) fn left_out<'a>(
    policy: &'a Policy,
    service: &Service,
    inventory: &'a Inventory,
) -> Option<Vec<&'a Pod>> {
    if service.selector.is_empty() {
        return None;
    }
    let is_reached = |pod: &&Pod| {
        let node = pod.node.as_ref().and_then(|node| inventory.node(node));
        !pod.finished && node.is_some_and(|node| acts_on(policy, node))
    };
    let pods = inventory.pods_matching(&policy.name.namespace, &policy.backend.selector).filter(is_reached);
    let (own, others): (Vec<_>, Vec<_>) = pods.partition(|pod| selects(service, pod));
    (!own.is_empty() && !others.is_empty()).then_some(others)
}

/// The Services that no policy redirects, by whom they select.
pub(super) struct Upstreams<'a> {
    inventory: &'a Inventory,
    selectors: HashSet<(&'a str, &'a Labels)>,
    pods: HashMap<&'a str, HashSet<Vec<&'a str>>>,
}

impl<'a> Upstreams<'a> {
    pub(super) fn new(inventory: &'a Inventory, redirected: &HashSet<&ServiceName>) -> Self {
        let mut upstreams = Self { inventory, selectors: HashSet::new(), pods: HashMap::new() };
        let free = |service: &&Service| !service.selector.is_empty() && !redirected.contains(&service.name);
        for service in inventory.services().filter(free) {
            let namespace = &*service.name.namespace;
            upstreams.selectors.insert((namespace, &service.selector));
            upstreams.pods.entry(namespace).or_default().insert(pods(inventory, service));
        }
        upstreams
    }

    /// Whether there is another way to the pods of a Service that is redirected: a Service with its selector, or
    /// with just its pods.
    pub(super) fn lead_to(&self, service: &'a Service) -> bool {
        let namespace = &*service.name.namespace;
        let same_pods = || {
            let own = pods(self.inventory, service);
            !own.is_empty() && self.pods.get(namespace).is_some_and(|sets| sets.contains(&own))
        };
        !service.selector.is_empty()
            && (self.selectors.contains(&(namespace, &service.selector)) || same_pods())
    }
}

/// The names of a Service's pods, in order.
fn pods<'a>(inventory: &'a Inventory, service: &'a Service) -> Vec<&'a str> {
    let pods = inventory.pods_with(&service.name.namespace, &service.selector);
    pods.filter(|pod| !pod.finished).map(|pod| &*pod.reference.name).collect()
}
