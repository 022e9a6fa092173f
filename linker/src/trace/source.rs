//! Who opens the connection: the pod or the host behind the source of a flow.
//!
//! A node's address is the host's, also where hostNetwork pods share it: an address cannot tell them apart,
//! so such a pod is named by its namespace and name. An address that several pods have is refused, unless
//! only one of them runs on the node. A finished pod is none: its address may already be another pod's.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::flow::Source;
use crate::inventory::{Inventory, Pod};
use crate::mapset::PodRef;

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client<'a> {
    /// A process of the node that is in no pod.
    Host,
    /// A pod of the node, on the host network or not (L6).
    Pod(&'a Pod),
}

impl fmt::Display for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("the host"),
            Self::Pod(pod) if pod.host_network => write!(f, "hostNetwork pod `{}`", pod.reference),
            Self::Pod(pod) => write!(f, "pod `{}`", pod.reference),
        }
    }
}

/// No connection of the node comes from there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The inventory has no such pod.
    #[error("pod `{namespace}/{name}` is not in the inventory")]
    NoSuchPod {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// The pod's phase is Succeeded or Failed.
    #[error("pod `{pod}` has finished and opens no connections")]
    Finished {
        /// The pod.
        pod: PodRef,
    },
    /// The pod is on no node yet.
    #[error("pod `{pod}` is not scheduled on a node yet")]
    Unscheduled {
        /// The pod.
        pod: PodRef,
    },
    /// The connection would be opened on another node.
    #[error("{client} is on node `{on}`, not on `{node}`")]
    Elsewhere {
        /// The pod, or the address of a node.
        client: String,
        /// The node on which it is.
        on: Arc<str>,
        /// The node that was asked about.
        node: String,
    },
    /// No pod and no node has the address.
    #[error("no pod and no node of the inventory has the address {address}")]
    NoSuchAddress {
        /// The address.
        address: IpAddr,
    },
    /// Several pods have the address.
    #[error("pods `{one}` and `{other}` both have the address {address}")]
    Ambiguous {
        /// The address.
        address: IpAddr,
        /// The first pod by name.
        one: PodRef,
        /// The next.
        other: PodRef,
    },
}

impl SourceError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::NoSuchPod { .. } => {
                "a pod is written `NAMESPACE/NAME`, as `kubectl get pods -A` shows it".into()
            }
            Self::Finished { .. } => "name a pod that runs".into(),
            Self::Unscheduled { .. } => "dump the inventory again when it runs".into(),
            Self::Elsewhere { on, .. } => format!("ask that node with `--node {on}`"),
            Self::NoSuchAddress { .. } => "write `host` for a process of the node that is in no pod".into(),
            Self::Ambiguous { .. } => "name the pod as `NAMESPACE/NAME`".into(),
        }
    }
}

/// The client behind a source, on a node.
pub(super) fn find<'a>(
    inventory: &'a Inventory,
    node: &str,
    source: &Source,
) -> Result<Client<'a>, SourceError> {
    match source {
        Source::Host => Ok(Client::Host),
        Source::Pod { namespace, name } => {
            let no_such_pod = || SourceError::NoSuchPod { namespace: namespace.clone(), name: name.clone() };
            let pod = inventory.pod(namespace, name).ok_or_else(no_such_pod)?;
            if pod.finished {
                return Err(SourceError::Finished { pod: pod.reference.clone() });
            }
            on_node(pod, node)
        }
        Source::Address(address) => by_address(inventory, node, *address),
    }
}

fn by_address<'a>(inventory: &'a Inventory, node: &str, address: IpAddr) -> Result<Client<'a>, SourceError> {
    let having = |pod: &&Pod| !pod.finished && pod.has_address(address);
    let pods = || inventory.pods().filter(having);
    let of_node = inventory.nodes().find(|node| node.addresses.contains(&address)).map(|node| &node.name);
    let of_host_pod = || pods().find(|pod| pod.host_network)?.node.as_ref();
    if let Some(on) = of_node.or_else(of_host_pod) {
        let client = format!("address {address}");
        return here(node, on, client).map(|()| Client::Host);
    }
    let mut local = pods().filter(|pod| pod.node.as_deref() == Some(node));
    match (local.next(), local.next()) {
        (Some(pod), None) => Ok(Client::Pod(pod)),
        (Some(one), Some(other)) => {
            let (one, other) = (one.reference.clone(), other.reference.clone());
            Err(SourceError::Ambiguous { address, one, other })
        }
        (None, _) => on_node(pods().next().ok_or(SourceError::NoSuchAddress { address })?, node),
    }
}

fn on_node<'a>(pod: &'a Pod, node: &str) -> Result<Client<'a>, SourceError> {
    let client = Client::Pod(pod);
    let on = pod.node.as_ref().ok_or_else(|| SourceError::Unscheduled { pod: pod.reference.clone() })?;
    here(node, on, client.to_string()).map(|()| client)
}

fn here(node: &str, on: &Arc<str>, client: String) -> Result<(), SourceError> {
    match **on == *node {
        true => Ok(()),
        false => Err(SourceError::Elsewhere { client, on: on.clone(), node: node.to_owned() }),
    }
}
