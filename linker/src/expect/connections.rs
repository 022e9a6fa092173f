//! The connections of an inventory that an expectation means: who opens them, on which node, to where.

use crate::flow::{Flow, Source};
use crate::inventory::Inventory;
use crate::mapset::{Frontend, MapSet};

use super::pattern::{Client, FlowPattern, Target};
use super::{Cluster, Expectation, Nodes};

/// One connection of a node.
pub(super) struct Connection<'a> {
    pub(super) node: &'a str,
    pub(super) map_set: &'a MapSet,
    pub(super) flow: Flow,
}

/// What an expectation means, and what it means in vain.
pub(super) struct Found<'a> {
    pub(super) connections: Vec<Connection<'a>>,
    /// One line for each thing that should be there.
    pub(super) missing: Vec<String>,
}

/// The connections, by node and then by client.
pub(super) fn connections<'a>(cluster: &'a Cluster<'_>, expectation: &Expectation) -> Found<'a> {
    let flow = &expectation.flow;
    let mut found = Found { connections: Vec::new(), missing: Vec::new() };
    let destinations = match destinations(flow, cluster.inventory) {
        Ok(destinations) => destinations,
        Err(missing) => return Found { missing: vec![missing], ..found },
    };
    if let Nodes::Named(names) = &expectation.nodes {
        let unknown = names.iter().filter(|name| !cluster.nodes.contains_key(name.as_str()));
        found.missing.extend(unknown.map(|name| format!("node {name} is not in the inventory")));
    }
    for (&node, map_set) in &cluster.nodes {
        let is_named = match &expectation.nodes {
            Nodes::Possible | Nodes::All => true,
            Nodes::Named(names) => names.iter().any(|name| name == node),
        };
        if !is_named {
            continue;
        }
        let sources = sources(&flow.client, cluster.inventory, node);
        if sources.is_empty() && expectation.nodes != Nodes::Possible {
            found.missing.push(format!("{} on node {node}", no_client(&flow.client)));
        }
        found.connections.extend(sources.into_iter().flat_map(|source| {
            let flow = |destination: &Frontend| Flow { source: source.clone(), destination: *destination };
            let flows: Vec<_> = destinations.iter().map(flow).collect();
            flows.into_iter().map(|flow| Connection { node, map_set, flow })
        }));
    }
    if found.connections.is_empty() && found.missing.is_empty() {
        let nodes = if cluster.nodes.is_empty() {
            "the inventory has no Node".to_owned()
        } else {
            no_client(&flow.client)
        };
        found.missing.push(nodes);
    }
    found
}

fn no_client(client: &Client) -> String {
    match client {
        Client::Host => "there is no host".to_owned(),
        Client::Address(address) => format!("nothing that can connect has the address {address}"),
        Client::Pods(pods) => format!("no pod that can connect is {pods}"),
    }
}

/// Who of a client pattern connects from a node. A finished pod connects no more.
fn sources(client: &Client, inventory: &Inventory, node: &str) -> Vec<Source> {
    let here = || inventory.pods_of_node(node).filter(|pod| !pod.finished);
    match client {
        Client::Host => vec![Source::Host],
        Client::Address(address) => {
            let is_node = inventory.node(node).is_some_and(|node| node.addresses.contains(address));
            let is_pod = || here().any(|pod| pod.has_address(*address));
            if is_node || is_pod() { vec![Source::Address(*address)] } else { Vec::new() }
        }
        Client::Pods(pods) => here()
            .filter(|pod| pods.matches(pod))
            .map(|pod| Source::Pod {
                namespace: pod.reference.namespace.to_string(),
                name: pod.reference.name.to_string(),
            })
            .collect(),
    }
}

/// The frontends that are connected to: the address, or each address of the Service.
fn destinations(flow: &FlowPattern, inventory: &Inventory) -> Result<Vec<Frontend>, String> {
    let frontend = |address| Frontend { address, port: flow.port, protocol: flow.protocol };
    match &flow.target {
        Target::Address(address) => Ok(vec![frontend(*address)]),
        Target::Service { namespace, name } => {
            let service = inventory
                .service(namespace, name)
                .ok_or_else(|| format!("Service {namespace}/{name} is not in the inventory"))?;
            match &service.cluster {
                Ok(addresses) => Ok(addresses.iter().copied().map(frontend).collect()),
                Err(hidden) => Err(format!(
                    "Service {namespace}/{name} has no address to connect to: {}",
                    hidden.as_str()
                )),
            }
        }
    }
}
