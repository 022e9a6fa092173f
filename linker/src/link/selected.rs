//! The pods of one node that a policy selects, and what the L-rules make of each.

use std::net::IpAddr;
use std::sync::Arc;

use lrpc_schema::image::{Clients, Fallback, Policy};

use crate::inventory::{Inventory, Pod};
use crate::mapset::PodRef;

/// The selected pods of a node, sorted by name; those that are Succeeded or Failed stand apart (L9).
#[derive(Debug)]
pub(super) struct Selected<'a> {
    policy: &'a Policy,
    pods: Vec<&'a Pod>,
    finished: Vec<&'a Pod>,
}

impl<'a> Selected<'a> {
    /// The pods of the policy's namespace on the node that its selector matches (R3, R4).
    pub(super) fn new(policy: &'a Policy, inventory: &'a Inventory, node: &str) -> Self {
        let pods = inventory.pods_on(node, &policy.name.namespace);
        let selected = pods.filter(|pod| policy.backend.selector.matches(&pod.labels));
        let (finished, pods) = selected.partition(|pod| pod.finished);
        Self { policy, pods, finished }
    }

    /// Those that are Succeeded or Failed, for messages only.
    pub(super) fn finished(&self) -> &[&'a Pod] {
        &self.finished
    }

    /// All others, ready or not, terminating or not.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().copied()
    }

    /// Those whose Ready condition is True, terminating or not.
    pub(super) fn ready(&self) -> impl Iterator<Item = &'a Pod> {
        self.iter().filter(|pod| pod.ready)
    }

    /// Those that L15 leaves without an address: the policy names a node's address, and they do not live in
    /// the node's network.
    pub(super) fn left_out(&self) -> impl Iterator<Item = &'a Pod> {
        self.iter().filter(|pod| is_left_out(self.policy, pod))
    }

    /// Ready pods that are to be exempt and have no UID (L8).
    pub(super) fn unidentified(&self) -> impl Iterator<Item = &'a Pod> {
        let exempt = self.policy.skip.then(|| self.ready());
        exempt.into_iter().flatten().filter(|pod| pod.reference.uid.is_none())
    }

    /// The pods whose own connections are left alone (L8).
    pub(super) fn exempt(&self) -> Arc<[PodRef]> {
        if !self.policy.skip {
            return Arc::default();
        }
        self.iter().map(|pod| pod.reference.clone()).collect()
    }
}

/// The pods of the node that are clients, where the policy wants a list of them (L6). Of a policy that says
/// `fallback: drop` those that are none, whatever their namespace, so that a pod which nobody knows yet is one.
pub(super) fn client_pods(policy: &Policy, inventory: &Inventory, node: &str) -> Arc<[PodRef]> {
    let selector = match &policy.clients {
        Clients::All | Clients::Pods | Clients::AllPods => return Arc::default(),
        Clients::Namespace => None,
        Clients::Selector(selector) => Some(selector),
    };
    let chosen = |pod: &&Pod| selector.is_none_or(|selector| selector.matches(&pod.labels));
    let is_running = |pod: &&Pod| !pod.finished;
    let namespace = &policy.name.namespace;
    match policy.fallback {
        Fallback::Original => {
            let clients = inventory.pods_on(node, namespace).filter(is_running).filter(chosen);
            clients.map(|pod| pod.reference.clone()).collect()
        }
        Fallback::Drop => {
            let is_client = |pod: &&Pod| pod.reference.namespace == *namespace && chosen(pod);
            let others = inventory.pods_of_node(node).filter(is_running).filter(|pod| !is_client(pod));
            let mut others: Vec<_> = others.map(|pod| pod.reference.clone()).collect();
            others.sort_unstable();
            others.into()
        }
    }
}

/// The addresses at which a pod is a backend (R6); the policy's own for every hostNetwork pod (L15).
pub(super) fn addresses<'a>(policy: &Policy, pod: &'a Pod) -> impl Iterator<Item = IpAddr> + use<'a> {
    let (agent, own) = match policy.backend.address {
        Some(_) if !pod.host_network => (None, &[][..]),
        Some(address) => (Some(address.get()), &[][..]),
        None => (None, pod.addresses.as_slice()),
    };
    agent.into_iter().chain(own.iter().map(|address| address.get()))
}

pub(super) fn is_left_out(policy: &Policy, pod: &Pod) -> bool {
    policy.backend.address.is_some() && !pod.host_network
}
