//! An all-ports policy has no backend port for some ports of its Service, or for none of them (L4, R18).

use std::collections::BTreeSet;

use lrpc_schema::image::{Policy, Port, PortSpec, Protocol};

use super::container_port_missing::{Declared, declared};
use super::{Code, Facts, Field, field, listed};
use crate::inventory::{Pod, Service, TargetPort};
use crate::link::Claim;

pub(crate) struct PortNotServed<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) service: &'a Service,
    /// The frontends that are not served, once for each address.
    pub(crate) ports: &'a [Claim<'a>],
    /// Other ports of the Service are served.
    pub(crate) is_any_served: bool,
    /// The ready pods.
    pub(crate) pods: &'a [&'a Pod],
}

/// A port of the Service.
type Unserved<'a> = (Port, Protocol, Option<&'a str>);

impl Facts for PortNotServed<'_> {
    const CODE: Code = Code::new("port-not-served");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SERVICE
    }

    fn message(&self) -> String {
        let name = &self.service.name;
        match self.is_any_served {
            true => format!("the policy has no backend port for some ports of Service `{name}`"),
            false => format!("the policy redirects nothing: no port of Service `{name}` has a backend port"),
        }
    }

    fn help(&self) -> String {
        match (self.is_any_served, self.policy.backend.ports.as_slice()) {
            (true, _) => self.some(),
            (false, [backend]) => self.none_of_one(backend),
            (false, _) => self.none_of_several(),
        }
    }
}

impl PortNotServed<'_> {
    fn unserved(&self) -> Vec<Unserved<'_>> {
        let port = |claim: &Claim<'_>| (claim.frontend.port, claim.frontend.protocol);
        let mut claims: Vec<_> = self.ports.iter().collect();
        claims.sort_unstable_by_key(|claim| port(claim));
        claims.dedup_by_key(|claim| port(claim));
        claims
            .into_iter()
            .map(|claim| (claim.frontend.port, claim.frontend.protocol, claim.port.name()))
            .collect()
    }

    fn some(&self) -> String {
        let ports = self.unserved();
        let stay = if ports.len() == 1 { "stays" } else { "stay" };
        format!(
            "{} {stay} with the Service's own pods; list the ports that are meant to be redirected in \
             `serviceMatcher.toPorts`, or give each Service port a backend port of its name and protocol",
            listed(ports.into_iter().map(shown))
        )
    }

    /// The only backend port belongs to no port of the Service (L4).
    fn none_of_one(&self, backend: &PortSpec) -> String {
        let ports = self.unserved();
        let has_protocol = ports.iter().any(|(_, protocol, _)| *protocol == backend.protocol);
        let remedy = match has_protocol {
            true => "list the one that is meant in `serviceMatcher.toPorts`",
            false => "give the backend port the protocol of the one that is meant",
        };
        format!(
            "backend port `{backend}` is none of the Service's, by number or targetPort: {}; {remedy}",
            listed(ports.into_iter().map(shown))
        )
    }

    /// The names of a Service's ports and of the backend ports do not meet.
    fn none_of_several(&self) -> String {
        const SHOWN: usize = 3;
        let ports = self.unserved();
        let mut text = "one name must run through all three:".to_owned();
        let mut is_any_missing = false;
        for port in ports.iter().take(SHOWN) {
            let backend = self.nearest(port);
            let container = backend.and_then(|spec| {
                self.pods.iter().find_map(|pod| {
                    Some(format!("`{}` in pod `{}`", Declared(declared(pod, spec)?), pod.reference))
                })
            });
            is_any_missing |= backend.is_some() && container.is_none();
            text += &format!(
                "\n  Service port:   `{}`\n  backend port:   {}\n  container port: {}",
                shown(*port),
                backend.map_or("none".to_owned(), |spec| format!("`{spec}`")),
                container.unwrap_or_else(|| "none".to_owned())
            );
        }
        if ports.len() > SHOWN {
            text += &format!("\n  and {} more ports", ports.len() - SHOWN);
        }
        text += "\nname the backend ports and the container ports as the Service's ports are named";
        let declared: BTreeSet<String> = self
            .pods
            .iter()
            .flat_map(|pod| pod.ports.iter().flatten())
            .map(|port| Declared(port).to_string())
            .collect();
        if is_any_missing && !declared.is_empty() {
            text += &format!(
                "; the numbers must meet too, and the pods declare {}",
                listed(declared.into_iter())
            );
        }
        text
    }

    /// The backend port that was probably meant: of the same number, or behind the Service's targetPort, with the
    /// same protocol.
    fn nearest(&self, (port, protocol, name): &Unserved<'_>) -> Option<&PortSpec> {
        let target =
            self.service.ports.iter().find(|one| {
                one.port == *port && one.protocol == Some(*protocol) && one.name.as_deref() == *name
            });
        let same_protocol = || self.policy.backend.ports.iter().filter(|spec| spec.protocol == *protocol);
        let by_number = same_protocol().find(|spec| spec.port == *port);
        let by_target = || {
            let target = &target?.target;
            same_protocol().find(|spec| *target == TargetPort::Number(spec.port))
        };
        by_number.or_else(by_target).or_else(|| same_protocol().next())
    }
}

fn shown((port, protocol, name): Unserved<'_>) -> String {
    match name {
        Some(name) => format!("{port}/{protocol} ({name})"),
        None => format!("{port}/{protocol}"),
    }
}
