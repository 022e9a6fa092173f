//! A second reading of docs/semantics.md: slow, obvious, and without a line of `link`'s.
//!
//! It works on the objects as kubectl prints them, asks every question by a walk over everything, and
//! answers with one line for each frontend.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use lrpc_schema::image::{Clients, Fallback, Matcher, Policy, PortSpec, Protocol, Selector};
use serde_json::Value;

use super::world::{LATER, line};

type Frontend = (IpAddr, u16, Protocol);

/// What a policy speaks of: the frontend, and the Service's port or its own.
struct Spoken<'a> {
    frontend: Frontend,
    service_port: Option<&'a Value>,
    own_port: Option<&'a PortSpec>,
}

/// The lines of one node, sorted as rows are.
pub(crate) fn lines(
    policies: &[Policy],
    objects: &[Value],
    node: &str,
    narrow: Option<&[IpNet]>,
) -> Vec<String> {
    let mut policies: Vec<_> = policies.iter().collect();
    policies.sort_by_key(|policy| (is_address(policy), &policy.name));
    let mut lines = BTreeMap::new();
    for policy in policies {
        for spoken in spoken(policy, objects) {
            // L1: the first to speak of a frontend owns it, service policies before address policies.
            lines
                .entry(spoken.frontend)
                .or_insert_with(|| World { policy, objects, node, narrow }.line(&spoken));
        }
    }
    lines.into_values().collect()
}

fn is_address(policy: &Policy) -> bool {
    matches!(policy.frontend, Matcher::Address { .. })
}

/// R13, R14, R21.
fn spoken<'a>(policy: &'a Policy, objects: &'a [Value]) -> Vec<Spoken<'a>> {
    match &policy.frontend {
        Matcher::Address { ip, ports } => ports
            .iter()
            .map(|spec| Spoken {
                frontend: (ip.get(), spec.port.get(), spec.protocol),
                service_port: None,
                own_port: Some(spec),
            })
            .collect(),
        Matcher::Service { name, ports } => {
            let mut spoken = Vec::new();
            for service in services(objects) {
                if text(service, "/metadata/name") != name
                    || text(service, "/metadata/namespace") != &*policy.name.namespace
                {
                    continue;
                }
                for ip in cluster_ips(service) {
                    for port in list(service, "/spec/ports") {
                        let Some(protocol) = protocol(port) else { continue };
                        let number = number(port, "/port").unwrap();
                        let is_listed =
                            |spec: &PortSpec| spec.port.get() == number && spec.protocol == protocol;
                        if ports.is_empty() || ports.iter().any(is_listed) {
                            let frontend = (ip, number, protocol);
                            spoken.push(Spoken { frontend, service_port: Some(port), own_port: None });
                        }
                    }
                }
            }
            spoken
        }
    }
}

/// One policy on one node.
struct World<'a> {
    policy: &'a Policy,
    objects: &'a [Value],
    node: &'a str,
    narrow: Option<&'a [IpNet]>,
}

impl<'a> World<'a> {
    fn line(&self, spoken: &Spoken<'_>) -> String {
        let policy = self.policy;
        let (decision, backends) = self.decision(spoken);
        let is_original = decision.starts_with("original");
        let names = |pods: Vec<&Value>| -> BTreeSet<String> {
            pods.into_iter().map(|pod| text(pod, "/metadata/name").to_owned()).collect()
        };
        let exempt = if policy.skip && !is_original { names(self.selected()) } else { BTreeSet::new() };
        let chosen = match &policy.clients {
            _ if is_original => None,
            Clients::All | Clients::Pods | Clients::AllPods => None,
            Clients::Namespace => Some(Selector::default()),
            Clients::Selector(selector) => Some(selector.clone()),
        };
        let mut clients = chosen.as_ref().map_or_else(BTreeSet::new, |selector| names(self.local(selector)));
        // L6: of a pod that starts after the link nobody knows the labels; L5 decides.
        if chosen.is_some() && policy.fallback == Fallback::Drop {
            clients.insert(LATER.to_owned());
        }
        line(spoken.frontend, &policy.name, &decision, &backends, &exempt, &clients)
    }

    /// The reasons in the order of docs/semantics.md; state and reason, or the backends with their pods.
    fn decision(&self, spoken: &Spoken<'_>) -> (String, BTreeMap<(IpAddr, u16), BTreeSet<String>>) {
        let policy = self.policy;
        let original = |reason: &str| (format!("original {reason}"), BTreeMap::new());
        let fallback = |reason: &str| match policy.fallback {
            Fallback::Drop if self.is_served(spoken) => (format!("drop {reason}"), BTreeMap::new()),
            Fallback::Drop | Fallback::Original => original(reason),
        };
        let node = self
            .objects
            .iter()
            .find(|object| text(object, "/kind") == "Node" && text(object, "/metadata/name") == self.node);
        if policy.nodes.as_ref().is_some_and(|selector| !matches(selector, node.unwrap())) {
            return original("node-not-selected");
        }
        if is_address(policy) && !policy.shadow_service && self.is_a_services(spoken.frontend) {
            return original("address-owned-by-service");
        }
        if is_address(policy)
            && let Some(narrow) = self.narrow
            && !narrow.iter().any(|net| net.contains(&spoken.frontend.0))
        {
            return original("address-not-allowed");
        }
        let ready: Vec<_> = self.selected().into_iter().filter(|pod| is_ready(pod)).collect();
        if policy.skip && ready.iter().any(|pod| text(pod, "/metadata/uid").is_empty()) {
            return fallback("backend-not-identified");
        }
        if !self.is_served(spoken) {
            return original("port-not-served");
        }
        if ready.is_empty() {
            return fallback("no-ready-backend");
        }
        // L9, after L4.
        for terminating in [false, true] {
            let mut backends: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
            for pod in ready.iter().filter(|pod| is_terminating(pod) == terminating) {
                for place in self.places(pod, spoken) {
                    backends.entry(place).or_default().insert(text(pod, "/metadata/name").into());
                }
            }
            if !backends.is_empty() {
                return ("->".into(), backends);
            }
        }
        fallback("no-usable-backend")
    }

    /// R22, L1.
    fn is_a_services(&self, (ip, port, wanted): Frontend) -> bool {
        services(self.objects).any(|service| {
            let external =
                list(service, "/spec/externalIPs").iter().any(|one| one.as_str() == Some(&ip.to_string()));
            let cluster = cluster_ips(service).contains(&ip);
            let on_a_node =
                self.objects.iter().filter(|object| text(object, "/kind") == "Node").any(|node| {
                    list(node, "/status/addresses")
                        .iter()
                        .any(|address| text(address, "/address") == ip.to_string())
                });
            let in_family = list(service, "/spec/clusterIPs")
                .iter()
                .filter_map(|ip| ip.as_str()?.parse::<IpAddr>().ok())
                .any(|own| own.is_ipv4() == ip.is_ipv4());
            list(service, "/spec/ports").iter().filter(|one| protocol(one) == Some(wanted)).any(|one| {
                (cluster || external) && number(one, "/port") == Some(port)
                    || on_a_node && in_family && number(one, "/nodePort") == Some(port)
            })
        })
    }

    /// The pods of the namespace on the node that a selector matches and that are not done (R3, R4, L9).
    fn local(&self, selector: &Selector) -> Vec<&'a Value> {
        self.objects
            .iter()
            .filter(|object| {
                text(object, "/kind") == "Pod"
                    && text(object, "/metadata/namespace") == &*self.policy.name.namespace
                    && text(object, "/spec/nodeName") == self.node
                    && !["Succeeded", "Failed"].contains(&text(object, "/status/phase"))
                    && matches(selector, object)
            })
            .collect()
    }

    fn selected(&self) -> Vec<&'a Value> {
        self.local(&self.policy.backend.selector)
    }

    fn listed(&self) -> &'a [PortSpec] {
        self.policy.frontend.ports()
    }

    /// L4's list for all-ports policies; every listed port is served (L5).
    fn is_served(&self, spoken: &Spoken<'_>) -> bool {
        let Some(service_port) = spoken.service_port.filter(|_| self.listed().is_empty()) else {
            return true;
        };
        match self.policy.backend.ports.as_slice() {
            [_] => self.single().iter().any(|(served, _)| std::ptr::eq(*served, service_port)),
            several => {
                several.iter().any(|spec| {
                    spec.name.as_deref() == service_port["name"].as_str()
                        && Some(spec.protocol) == protocol(service_port)
                }) && service_port["name"].is_string()
            }
        }
    }

    /// The served ports of an all-ports policy with one backend port, each with the name that a pod's port
    /// needs.
    fn single(&self) -> Vec<(&'a Value, Option<&'a str>)> {
        let Matcher::Service { name, .. } = &self.policy.frontend else { return Vec::new() };
        let [backend] = self.policy.backend.ports.as_slice() else { return Vec::new() };
        let service = services(self.objects).find(|service| {
            text(service, "/metadata/name") == name && text(service, "/metadata/namespace") == "default"
        });
        let s: Vec<_> = service
            .map_or(&[][..], |service| list(service, "/spec/ports"))
            .iter()
            .filter(|port| protocol(port) == Some(backend.protocol))
            .collect();
        if s.len() == 1 {
            return vec![(s[0], None)];
        }
        let with_address: Vec<_> = self
            .selected()
            .into_iter()
            .filter(|pod| self.policy.backend.address.is_none() || is_host(pod))
            .collect();
        let staying: Vec<_> = with_address.iter().copied().filter(|pod| !is_terminating(pod)).collect();
        let counting = if staying.is_empty() { with_address } else { staying };
        let mut served = Vec::new();
        for port in &s {
            let own = port["targetPort"].is_null().then(|| number(port, "/port")).flatten();
            if number(port, "/targetPort").or(own) == Some(backend.port.get()) {
                served.push((*port, None));
            } else if let Some(target) = port["targetPort"].as_str() {
                let declares = |pod: &&Value| {
                    container_ports(pod)
                        .iter()
                        .any(|declared| is_it(declared, backend) && declared["name"] == target)
                };
                if counting.is_empty() || counting.iter().any(declares) {
                    served.push((*port, Some(target)));
                }
            }
        }
        if served.is_empty() {
            served.extend(
                s.into_iter()
                    .find(|port| number(port, "/port") == Some(backend.port.get()))
                    .map(|port| (port, None)),
            );
        }
        served
    }

    /// Where a ready pod serves a frontend (R6-R12, L4, L15).
    fn places(&self, pod: &Value, spoken: &Spoken<'_>) -> BTreeSet<(IpAddr, u16)> {
        let ips: Vec<IpAddr> = match self.policy.backend.address {
            Some(address) if is_host(pod) => vec![address.get()],
            Some(_) => Vec::new(),
            None => {
                let ips = list(pod, "/status/podIPs").iter().filter_map(|ip| text(ip, "/ip").parse().ok());
                ips.filter(is_reachable).collect()
            }
        };
        let ports = &self.policy.backend.ports;
        let (frontends, is_single) = (self.listed().len(), self.listed().len() == 1);
        let names_count = frontends > 1 || frontends == 0 && ports.len() > 1;
        let frontend_name = match (spoken.service_port, spoken.own_port) {
            (Some(port), _) => port["name"].as_str(),
            (None, own) => own.and_then(|own| own.name.as_deref()),
        };
        let chosen_by = self
            .single()
            .into_iter()
            .filter(|_| frontends == 0)
            .find(|(port, _)| spoken.service_port.is_some_and(|one| std::ptr::eq(*port, one)))
            .and_then(|(_, name)| name);
        let mut places = BTreeSet::new();
        for (place, spec) in ports.iter().enumerate() {
            let is_wanted = spec.protocol == spoken.frontend.2
                && (!is_single || place == 0)
                && (!names_count
                    || frontend_name.is_some() && frontend_name == spec.name.as_deref()
                    || frontend_name.is_none() && ports.len() == 1);
            let declared = container_ports(pod);
            let has_it = if declared.is_empty() {
                !names_count && chosen_by.is_none()
            } else {
                declared.iter().any(|port| {
                    is_it(port, spec)
                        && (!names_count || port["name"].as_str() == spec.name.as_deref())
                        && (chosen_by.is_none() || port["name"].as_str() == chosen_by)
                })
            };
            for ip in &ips {
                let is_frontend = (*ip, spec.port.get(), spec.protocol) == spoken.frontend;
                if is_wanted && has_it && !is_frontend && ip.is_ipv4() == spoken.frontend.0.is_ipv4() {
                    places.insert((*ip, spec.port.get()));
                }
            }
        }
        places
    }
}

/// No other pod reaches a pod at these (R6).
fn is_reachable(ip: &IpAddr) -> bool {
    let nowhere = ["0.0.0.0", "255.255.255.255", "::", "::1"];
    let is_group = match ip {
        IpAddr::V4(ip) => ip.octets()[0] >> 4 == 14,
        IpAddr::V6(ip) => ip.octets()[0] == 0xff,
    };
    !nowhere.contains(&ip.to_string().as_str()) && !ip.to_string().starts_with("127.") && !is_group
}

fn is_it(declared: &Value, spec: &PortSpec) -> bool {
    number(declared, "/containerPort") == Some(spec.port.get()) && protocol(declared) == Some(spec.protocol)
}

fn is_ready(pod: &Value) -> bool {
    let conditions = list(pod, "/status/conditions");
    conditions.iter().find(|one| one["type"] == "Ready").is_some_and(|one| one["status"] == "True")
}

fn is_terminating(pod: &Value) -> bool {
    !pod["metadata"]["deletionTimestamp"].is_null()
}

fn is_host(pod: &Value) -> bool {
    pod["spec"]["hostNetwork"] == true
}

fn container_ports(pod: &Value) -> Vec<&Value> {
    list(pod, "/spec/containers").iter().flat_map(|container| list(container, "/ports")).collect()
}

fn services(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter(|object| text(object, "/kind") == "Service")
}

fn cluster_ips(service: &Value) -> Vec<IpAddr> {
    list(service, "/spec/clusterIPs").iter().filter_map(|ip| ip.as_str()?.parse().ok()).collect()
}

fn matches(selector: &Selector, object: &Value) -> bool {
    selector
        .requirements()
        .iter()
        .all(|one| one.values().iter().any(|value| object["metadata"]["labels"][one.key()] == value.as_str()))
}

fn protocol(port: &Value) -> Option<Protocol> {
    text(port, "/protocol").parse().ok()
}

fn number(value: &Value, pointer: &str) -> Option<u16> {
    u16::try_from(value.pointer(pointer)?.as_u64()?).ok()
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
