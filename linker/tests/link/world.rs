//! Worlds in a few words: policies as values, objects as the JSON that kubectl prints, results as lines.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use lrpc_linker::inventory::Builder;
use lrpc_linker::mapset::Row;
use lrpc_linker::{Inventory, Linked};
use lrpc_schema::image::{
    Backend, Clients, Fallback, Image, Matcher, Operator, Policy, PolicyName, Port, PortSpec, Protocol,
    Requirement, Selector,
};
use serde_json::{Value, json};

/// The labels that every backend of a test has.
pub(crate) fn selector(text: &str) -> Selector {
    let requirement = |part: &str| {
        let (key, value) = part.split_once('=').unwrap();
        Requirement::new(key.into(), Operator::In, vec![value.into()]).unwrap()
    };
    Selector::new(text.split(',').map(requirement).collect())
}

/// Ports written as `53/UDP` or `53/UDP dns`.
pub(crate) fn ports(texts: &[&str]) -> Vec<PortSpec> {
    let port = |text: &&str| {
        let (number, name) =
            text.split_once(' ').map_or((*text, None), |(number, name)| (number, Some(name.into())));
        let (port, protocol) = number.split_once('/').unwrap();
        PortSpec {
            port: Port::new(port.parse().unwrap()).unwrap(),
            protocol: protocol.parse().unwrap(),
            name,
        }
    };
    texts.iter().map(port).collect()
}

/// The policy `default/p` that sends an address to the pods labelled `app: x`.
pub(crate) fn address(ip: &str, frontend: &[&str], backend: &[&str]) -> Policy {
    policy(Matcher::Address { ip: ip.parse().unwrap(), ports: ports(frontend) }, backend)
}

/// The policy `default/p` that sends the Service `s` to the pods labelled `app: x`.
pub(crate) fn service(frontend: &[&str], backend: &[&str]) -> Policy {
    policy(Matcher::Service { name: "s".into(), ports: ports(frontend) }, backend)
}

fn policy(frontend: Matcher, backend: &[&str]) -> Policy {
    Policy {
        name: PolicyName { namespace: "default".into(), name: "p".into() },
        frontend,
        backend: Backend { selector: selector("app=x"), ports: ports(backend), address: None },
        skip: true,
        fallback: Fallback::Original,
        clients: Clients::All,
        nodes: None,
        shadow_service: false,
    }
}

/// The same policy under another name.
pub(crate) fn named(name: &str, mut policy: Policy) -> Policy {
    policy.name.name = name.into();
    policy
}

/// A ready pod of `default` on `n1`, labelled `app: x`, with these addresses and TCP, UDP or SCTP ports.
pub(crate) fn pod(name: &str, ips: &[&str], container_ports: &[&str]) -> Value {
    let container_port = |text: &&str| {
        let (number, name) =
            text.split_once(' ').map_or((*text, None), |(number, name)| (number, Some(name)));
        let (port, protocol) = number.split_once('/').unwrap();
        let mut value = json!({"containerPort": port.parse::<u16>().unwrap(), "protocol": protocol});
        if let Some(name) = name {
            value["name"] = name.into();
        }
        value
    };
    let container_ports: Vec<_> = container_ports.iter().map(container_port).collect();
    let ips: Vec<_> = ips.iter().map(|ip| json!({ "ip": ip })).collect();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "labels": {"app": "x"}},
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "ports": container_ports}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "podIPs": ips},
    })
}

/// The same pod, not ready.
pub(crate) fn unready(mut pod: Value) -> Value {
    pod["status"]["conditions"][0]["status"] = "False".into();
    pod
}

/// The same pod, being deleted.
pub(crate) fn terminating(mut pod: Value) -> Value {
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    pod
}

/// The same object with one more field, named by a JSON pointer of fields that are there.
pub(crate) fn with(mut object: Value, pointer: &str, value: impl Into<Value>) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[field] = value.into();
    object
}

/// The Service `default/s` with cluster addresses and ports written as `53/UDP dns 5353`, the last being
/// the targetPort.
pub(crate) fn svc(ips: &[&str], service_ports: &[&str]) -> Value {
    let service_port = |text: &&str| {
        let mut words = text.split(' ');
        let (port, protocol) = words.next().unwrap().split_once('/').unwrap();
        let mut value = json!({"port": port.parse::<u16>().unwrap(), "protocol": protocol});
        if let Some(name) = words.next().filter(|name| *name != "-") {
            value["name"] = name.into();
        }
        if let Some(target) = words.next() {
            value["targetPort"] = target.parse::<u16>().map_or_else(|_| target.into(), Value::from);
        }
        value
    };
    let service_ports: Vec<_> = service_ports.iter().map(service_port).collect();
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "s", "namespace": "default", "labels": {}, "annotations": {}},
        "spec": {"type": "ClusterIP", "clusterIP": ips.first(), "clusterIPs": ips, "ports": service_ports},
        "status": {},
    })
}

/// A Node with the label `kubernetes.io/hostname`.
pub(crate) fn node(name: &str, ips: &[&str]) -> Value {
    let addresses: Vec<_> = ips.iter().map(|ip| json!({"type": "InternalIP", "address": ip})).collect();
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"addresses": addresses},
    })
}

pub(crate) fn inventory(objects: &[Value]) -> Inventory {
    let mut builder = Builder::default();
    builder.add("inventory.json", &json!({"kind": "List", "items": objects}).to_string()).unwrap();
    builder.build()
}

/// Policies by value or by reference.
pub(crate) trait Policies: IntoIterator<Item: Borrow<Policy>> {}
impl<I: IntoIterator<Item: Borrow<Policy>>> Policies for I {}

/// Links the policies with the objects and a Node `n1`.
pub(crate) fn link(policies: impl Policies, objects: &[Value]) -> Linked {
    link_narrow(policies, objects, None)
}

pub(crate) fn link_narrow(policies: impl Policies, objects: &[Value], narrow: Option<&[IpNet]>) -> Linked {
    let policies = policies.into_iter().map(|policy| policy.borrow().clone());
    let image = Image::seal(policies.collect::<Vec<_>>(), None, None);
    let objects = [&[node("n1", &["192.0.2.1"])], objects].concat();
    lrpc_linker::link(&image, &inventory(&objects), "n1", narrow).unwrap()
}

/// A row as `FRONTEND -> ADDRESS:PORT(pod pod)…` or `FRONTEND STATE REASON`.
pub(crate) fn shown(row: &Row) -> String {
    let mut text = row.frontend.to_string();
    match row.reason() {
        Some(reason) => text += &format!(" {} {reason}", row.state()),
        None => text += " ->",
    }
    for backend in row.backends() {
        let pods: Vec<_> = backend.pods.iter().map(|pod| &*pod.name).collect();
        let place = std::net::SocketAddr::new(backend.address, backend.port.get());
        text += &format!(" {place}({})", pods.join(" "));
    }
    text
}

/// What the policies give on `n1`: the rows, and the codes of the findings in their order.
#[track_caller]
pub(crate) fn check(policies: impl Policies, objects: &[Value], rows: &[&str], codes: &[&str]) -> Linked {
    let linked = link(policies, objects);
    let found: Vec<_> = linked.map_set.rows().iter().map(shown).collect();
    assert_eq!(found, rows, "rows; findings: {:#?}", linked.findings);
    let found: Vec<_> = linked.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(found, codes, "findings: {:#?}", linked.findings);
    linked
}

/// A pod that starts after the link, among the clients.
pub(crate) const LATER: &str = "(later)";

/// All that a row says of connections, as one line: what the model and `link` must agree on.
pub(crate) fn line(
    (address, port, protocol): (IpAddr, u16, Protocol),
    policy: &PolicyName,
    decision: &str,
    backends: &BTreeMap<(IpAddr, u16), BTreeSet<String>>,
    exempt: &BTreeSet<String>,
    clients: &BTreeSet<String>,
) -> String {
    format!(
        "{address} {port}/{protocol} of {policy}: {decision} {backends:?}, exempt {exempt:?}, clients {clients:?}"
    )
}
