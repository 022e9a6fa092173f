//! Kubernetes' own form of the objects, and what becomes of it.
//!
//! Only what is asked for is declared; everything else is skipped over. An object that does not have the
//! form of its kind is broken: it is named, not guessed at.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use lrpc_schema::image::{PodAddress, Port, Protocol};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::objects::{
    ContainerPort, Hidden, Node, Object, Pod, Revision, Service, ServicePort, TargetPort, UncountedPort,
};
use crate::mapset::{PodRef, ServiceName};

/// The UID under which the kubelet keeps a static pod, on the mirror pod that stands for it (L8).
const MIRROR: &str = "kubernetes.io/config.mirror";
/// Which types of a Service Cilium exposes (R13).
const EXPOSED_TYPE: &str = "service.cilium.io/type";
/// Proxies leave a Service with this label alone (R13).
const HEADLESS: &str = "service.kubernetes.io/headless";

/// What a dump holds in the place of one object.
pub(super) enum Found {
    Object(Object),
    /// An object of a kind that is not asked for.
    Ignored,
    /// An object that is not of its kind's form.
    Broken {
        /// Kind and name, ``Pod `default/a` ``.
        object: String,
        /// What is wrong with it.
        message: String,
    },
}

/// The kinds that are asked for, all of the core group.
pub(super) const KINDS: [&str; 4] = ["Pod", "Service", "Node", "Namespace"];

impl Found {
    /// What a tree holds that is said to be of a kind of the core group.
    pub(super) fn new(tree: &Value, kind: &str) -> Self {
        let object = match kind {
            "Pod" => parse(tree).and_then(WirePod::judge),
            "Service" => parse(tree).and_then(WireService::judge),
            "Node" => parse(tree).and_then(WireNode::judge),
            "Namespace" => parse(tree).and_then(WireNamespace::judge),
            _ => match meant(kind) {
                Some(known) => Err(format!("its kind is `{kind}`, where `{known}` is meant")),
                None => return Self::Ignored,
            },
        };
        match object {
            Ok(object) => Self::Object(object),
            Err(message) => Self::Broken { object: called(tree, kind), message },
        }
    }

    /// What a tree holds that has no kind: with the name of an object it was meant to count.
    pub(super) fn untold(tree: &Value) -> Self {
        match tree.get("metadata").and_then(|metadata| metadata.get("name")) {
            Some(_) => Self::Broken { object: called(tree, "object"), message: "it has no `kind`".into() },
            None => Self::Ignored,
        }
    }
}

/// A kind that was probably meant by one that differs in letter case, or is a plural.
fn meant(kind: &str) -> Option<&'static str> {
    let singular = kind.strip_suffix(['s', 'S']).unwrap_or(kind);
    let is_meant = |known: &&str| known.eq_ignore_ascii_case(kind) || known.eq_ignore_ascii_case(singular);
    KINDS.into_iter().find(|known| is_meant(known))
}

/// What to call an object that may lack a name.
fn called(tree: &Value, kind: &str) -> String {
    let named = |field: &str| tree.get("metadata")?.get(field)?.as_str().filter(|text| !text.is_empty());
    match (named("namespace"), named("name")) {
        (Some(namespace), Some(name)) => format!("{kind} `{namespace}/{name}`"),
        (None, Some(name)) => format!("{kind} `{name}`"),
        (Some(namespace), None) => format!("a {kind} of namespace `{namespace}`"),
        (None, None) => format!("a {kind}"),
    }
}

fn parse<T: de::DeserializeOwned>(tree: &Value) -> Result<T, String> {
    T::deserialize(tree).map_err(|error| {
        // Keeping the path costs an allocation for every key, so it is asked for only where something is wrong.
        match serde_path_to_error::deserialize::<_, T>(tree) {
            Err(error) => in_words(&error.path().to_string(), &error.inner().to_string()),
            Ok(_) => error.to_string(),
        }
    })
}

/// What serde says of the value at a path, in the words of Kubernetes.
fn in_words(path: &str, said: &str) -> String {
    let missing = said.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match (missing, said.rsplit_once(", expected ")) {
        (Some(field), _) if path == "." => format!("`{field}` is missing"),
        (Some(field), _) => format!("`{path}.{field}` is missing"),
        (None, Some((_, expected))) => {
            let expected = match expected {
                "a sequence" => "a list",
                "a map" => "an object",
                expected => expected,
            };
            format!("`{path}` is not {expected}")
        }
        (None, None) => format!("`{path}` {said}"),
    }
}

/// A list that may also be absent or null, as Go writes an empty one.
type List<T> = Option<Vec<T>>;
/// A map that may also be absent or null.
type Map = Option<BTreeMap<String, String>>;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, expecting = "an object")]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    labels: Map,
    annotations: Map,
    deletion_timestamp: Option<String>,
}

impl Metadata {
    fn name(&self) -> Result<Arc<str>, String> {
        present(&self.name).ok_or_else(|| "`metadata.name` is missing".into())
    }

    fn namespace(&self) -> Result<Arc<str>, String> {
        present(&self.namespace).ok_or_else(|| "`metadata.namespace` is missing".into())
    }

    fn revision(&self) -> Revision {
        let version = self.resource_version.as_deref().and_then(|version| version.parse().ok());
        Revision { uid: present(&self.uid), version }
    }

    fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    fn has_label(&self, key: &str) -> bool {
        self.labels.as_ref().is_some_and(|labels| labels.contains_key(key))
    }
}

/// A text that is there and not empty.
fn present(text: &Option<String>) -> Option<Arc<str>> {
    text.as_deref().filter(|text| !text.is_empty()).map(Into::into)
}

/// What is an address; in IPv4-mapped form it is the IPv4 address (L16).
fn addresses<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for text in texts {
        if let Ok(address) = text.parse::<IpAddr>().map(|address| address.to_canonical())
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
    }
    addresses
}

/// The addresses at which a pod can be reached, and the others.
fn reachable(addresses: Vec<IpAddr>) -> (Vec<PodAddress>, Vec<IpAddr>) {
    let mut unreachable = Vec::new();
    let reach = |address| PodAddress::new(address).map_err(|_| unreachable.push(address)).ok();
    (addresses.into_iter().filter_map(reach).collect(), unreachable)
}

/// The number of a port.
struct Number(Port);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Target::deserialize(deserializer)? {
            Target::Number(port) => Ok(Self(port)),
            Target::Absent => Err(de::Error::custom("is 0, which is no port")),
            Target::Name(_) => Err(de::Error::invalid_type(de::Unexpected::Other("text"), &"a number")),
        }
    }
}

/// The port of a pod or node behind a Service's port, by number or by name; 0 and an empty name are how Go
/// writes none.
#[derive(Default)]
enum Target {
    #[default]
    Absent,
    Number(Port),
    Name(Arc<str>),
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetVisitor)
    }
}

struct TargetVisitor;

impl Visitor<'_> for TargetVisitor {
    type Value = Target;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Target, E> {
        match (number, u16::try_from(number).ok().and_then(Port::new)) {
            (0, _) => Ok(Target::Absent),
            (_, Some(port)) => Ok(Target::Number(port)),
            (_, None) => Err(E::custom(format_args!("is {number}, which is no port"))),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Target, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::custom(format_args!("is {number}, which is no port"))),
        }
    }

    fn visit_str<E>(self, name: &str) -> Result<Target, E> {
        Ok(if name.is_empty() { Target::Absent } else { Target::Name(name.into()) })
    }

    fn visit_unit<E>(self) -> Result<Target, E> {
        Ok(Target::Absent)
    }
}

/// The protocol of a port, TCP where none is written; `None` for one that no policy can name.
fn protocol(text: Option<&str>) -> Option<Protocol> {
    text.unwrap_or("TCP").parse().ok()
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct WirePod {
    metadata: Metadata,
    #[serde(default)]
    spec: PodSpec,
    #[serde(default)]
    status: PodStatus,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, expecting = "an object")]
struct PodSpec {
    node_name: Option<String>,
    host_network: Option<bool>,
    containers: List<Container>,
    init_containers: List<Container>,
    ephemeral_containers: List<Container>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Container {
    name: Option<String>,
    #[serde(default)]
    ports: List<WireContainerPort>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct WireContainerPort {
    container_port: Number,
    protocol: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object")]
struct PodStatus {
    phase: Option<String>,
    conditions: List<Condition>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    #[serde(rename = "podIPs")]
    pod_ips: List<PodIp>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Condition {
    r#type: String,
    status: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct PodIp {
    ip: Option<String>,
}

impl WirePod {
    fn judge(self) -> Result<Object, String> {
        let Self { metadata, spec, status } = self;
        let uid = metadata.annotation(MIRROR).filter(|uid| !uid.is_empty()).map(Into::into);
        let conditions = status.conditions.unwrap_or_default();
        let ready = conditions.iter().find(|condition| condition.r#type == "Ready");
        let ips = status.pod_ips.iter().flatten().filter_map(|pod_ip| pod_ip.ip.as_deref());
        let (addresses, unreachable) = reachable(addresses(status.pod_ip.as_deref().into_iter().chain(ips)));
        let revision = metadata.revision();
        let pod = Pod {
            reference: PodRef {
                namespace: metadata.namespace()?,
                name: metadata.name()?,
                uid: uid.or_else(|| revision.uid.clone()),
            },
            labels: Arc::new(metadata.labels.unwrap_or_default()),
            node: present(&spec.node_name),
            host_network: spec.host_network.unwrap_or(false),
            ports: container_ports(&spec.containers.unwrap_or_default()),
            uncounted: uncounted(&spec.init_containers, false)
                .chain(uncounted(&spec.ephemeral_containers, true))
                .collect(),
            addresses,
            unreachable,
            ready: ready.is_some_and(|condition| condition.status == "True"),
            terminating: metadata.deletion_timestamp.is_some(),
            finished: matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")),
        };
        Ok(Object::Pod(pod, revision))
    }
}

/// A port of a protocol that no policy can name is no backend, but its pod does declare ports (R10, R11).
fn container_ports(containers: &[Container]) -> Option<Box<[ContainerPort]>> {
    let mut declared =
        containers.iter().filter_map(|container| container.ports.as_ref()).flatten().peekable();
    declared.peek()?;
    Some(declared.filter_map(WireContainerPort::judge).collect())
}

/// The ports of containers that do not count (R7).
fn uncounted(containers: &List<Container>, ephemeral: bool) -> impl Iterator<Item = UncountedPort> {
    containers.iter().flatten().flat_map(move |container| {
        let name = container.name.as_deref().unwrap_or_default();
        let ports = container.ports.iter().flatten().filter_map(WireContainerPort::judge);
        ports.map(move |port| UncountedPort { container: name.into(), ephemeral, port })
    })
}

impl WireContainerPort {
    /// `None` for a protocol that no policy can name.
    fn judge(&self) -> Option<ContainerPort> {
        let protocol = protocol(self.protocol.as_deref())?;
        Some(ContainerPort { port: self.container_port.0, protocol, name: present(&self.name) })
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct WireService {
    metadata: Metadata,
    #[serde(default)]
    spec: ServiceSpec,
    #[serde(default)]
    status: ServiceStatus,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, expecting = "an object")]
struct ServiceSpec {
    r#type: Option<String>,
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<String>,
    #[serde(rename = "clusterIPs")]
    cluster_ips: List<String>,
    #[serde(rename = "externalIPs")]
    external_ips: List<String>,
    ip_families: List<String>,
    ports: List<WireServicePort>,
    session_affinity: Option<String>,
    selector: Map,
    internal_traffic_policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct WireServicePort {
    name: Option<String>,
    port: Number,
    protocol: Option<String>,
    #[serde(default)]
    target_port: Target,
    #[serde(default, deserialize_with = "node_port")]
    node_port: Option<Port>,
}

/// A port of the node, or none: 0 is how Go writes it.
fn node_port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Port>, D::Error> {
    match Target::deserialize(deserializer)? {
        Target::Absent => Ok(None),
        Target::Number(port) => Ok(Some(port)),
        Target::Name(_) => Err(de::Error::invalid_type(de::Unexpected::Other("text"), &"a number")),
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, expecting = "an object")]
struct ServiceStatus {
    load_balancer: Option<LoadBalancer>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct LoadBalancer {
    #[serde(default)]
    ingress: List<Ingress>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Ingress {
    ip: Option<String>,
    ip_mode: Option<String>,
}

impl WireService {
    fn judge(self) -> Result<Object, String> {
        let Self { metadata, spec, status } = self;
        let exposed = metadata.annotation(EXPOSED_TYPE);
        let exposes = |kind: &str| !is_service_type(exposed) || exposed == Some(kind);
        let kind = spec.r#type.as_deref().unwrap_or("ClusterIP");
        let written = match &spec.cluster_ips {
            Some(list) if !list.is_empty() => list.iter().map(String::as_str).collect(),
            _ => Vec::from_iter(spec.cluster_ip.as_deref()),
        };
        let assigned = addresses(written.iter().copied());
        let cluster = match kind {
            "ExternalName" => Err(Hidden::ExternalName),
            _ if written.contains(&"None") => Err(Hidden::Headless),
            _ if metadata.has_label(HEADLESS) => Err(Hidden::HeadlessLabel),
            _ if !exposes("ClusterIP") => Err(Hidden::ExposedElsewhere),
            _ if assigned.is_empty() => Err(Hidden::Unassigned),
            _ => Ok(assigned.clone()),
        };
        let families = spec.ip_families.filter(|families| !families.is_empty());
        let in_family = |name: &str, is_v6: bool| match &families {
            Some(families) => families.iter().any(|family| family == name),
            None => assigned.iter().any(|address| address.is_ipv6() == is_v6),
        };
        let node_ports = matches!(kind, "NodePort" | "LoadBalancer") && exposes("NodePort");
        let balanced = kind == "LoadBalancer" && exposes("LoadBalancer");
        let ingress = status.load_balancer.and_then(|balancer| balancer.ingress).unwrap_or_default();
        let ingress =
            ingress.iter().filter(|ingress| balanced && ingress.ip_mode.as_deref().unwrap_or("VIP") == "VIP");
        let external =
            spec.external_ips.iter().flatten().map(String::as_str).filter(|_| kind != "ExternalName");
        let revision = metadata.revision();
        let service = Service {
            name: ServiceName { namespace: metadata.namespace()?, name: metadata.name()? },
            external: addresses(external),
            balanced: addresses(ingress.filter_map(|ingress| ingress.ip.as_deref())),
            ports: spec.ports.unwrap_or_default().into_iter().map(WireServicePort::judge).collect(),
            node_ports_v4: node_ports && in_family("IPv4", false),
            node_ports_v6: node_ports && in_family("IPv6", true),
            selector: spec.selector.unwrap_or_default(),
            local_only: spec.internal_traffic_policy.as_deref() == Some("Local"),
            client_affinity: spec.session_affinity.as_deref() == Some("ClientIP"),
            cluster,
        };
        Ok(Object::Service(service, revision))
    }
}

/// The annotation holds one of the types that it can hold; any other value is as if it were absent.
fn is_service_type(annotation: Option<&str>) -> bool {
    matches!(annotation, Some("ClusterIP" | "NodePort" | "LoadBalancer"))
}

impl WireServicePort {
    fn judge(self) -> ServicePort {
        ServicePort {
            name: present(&self.name),
            port: self.port.0,
            protocol: protocol(self.protocol.as_deref()),
            target: match self.target_port {
                Target::Absent => TargetPort::Number(self.port.0),
                Target::Number(port) => TargetPort::Number(port),
                Target::Name(name) => TargetPort::Name(name),
            },
            node_port: self.node_port,
        }
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct WireNode {
    metadata: Metadata,
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Deserialize, Default)]
#[serde(default, expecting = "an object")]
struct NodeStatus {
    addresses: List<NodeAddress>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct NodeAddress {
    address: String,
}

impl WireNode {
    fn judge(self) -> Result<Object, String> {
        let texts = self.status.addresses.iter().flatten().map(|address| address.address.as_str());
        let revision = self.metadata.revision();
        let node = Node {
            name: self.metadata.name()?,
            addresses: addresses(texts),
            labels: self.metadata.labels.unwrap_or_default(),
        };
        Ok(Object::Node(node, revision))
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct WireNamespace {
    metadata: Metadata,
}

impl WireNamespace {
    fn judge(self) -> Result<Object, String> {
        self.metadata.name().map(Object::Namespace)
    }
}
