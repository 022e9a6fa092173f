//! What fits together in one policy. The compiler reports each of these with its place, so that no image that it
//! writes breaks one; a decoder refuses an image that does.

use std::collections::BTreeSet;

use super::name::{is_dns_label, is_dns_subdomain, is_port_name};
use super::policy::{Clients, Matcher, Policy, PortSpec};

/// Checks one policy.
///
/// # Errors
/// The rule that it breaks, as a sentence.
pub(super) fn check(policy: &Policy) -> Result<(), &'static str> {
    let hold = |holds: bool, broken: &'static str| if holds { Ok(()) } else { Err(broken) };
    let (frontend, backend) = (policy.frontend.ports(), policy.backend.ports.as_slice());
    hold(
        is_dns_label(&policy.name.namespace) && is_dns_subdomain(&policy.name.name),
        "a policy has no name that Kubernetes allows",
    )?;
    match &policy.frontend {
        Matcher::Address { .. } => hold(!frontend.is_empty(), "an address policy has no port")?,
        Matcher::Service { name, .. } => {
            hold(is_dns_label(name), "a Service has no name that Kubernetes allows")?;
        }
    }
    hold(!backend.is_empty(), "a policy has no backend port")?;
    hold(!selects_nothing(policy), "an annotation has an empty selector")?;
    hold(are_named(frontend, frontend.len() > 1), "a frontend port has a name that it cannot have")?;
    let names_required = frontend.len() > 1 || backend.len() > 1;
    hold(are_named(backend, names_required), "a backend port has a name that it cannot have")?;
    hold(are_different(frontend, false), "a frontend port is listed twice")?;
    hold(are_different(backend, policy.do_names_count()), "a backend port is listed twice")?;
    hold(names_one_port(backend), "a name stands for two backend ports")?;
    hold(is_served(policy), "a frontend port has no backend port")?;
    hold(!leads_back(policy), "the backend address of a policy is its own frontend")
}

/// L2: the selector of an annotation says something.
fn selects_nothing(policy: &Policy) -> bool {
    let is_empty_client = matches!(&policy.clients, Clients::Selector(selector) if selector.is_empty());
    is_empty_client || policy.nodes.as_ref().is_some_and(super::Selector::is_empty)
}

/// L2: names are in lower case, and IANA service names where they must be there.
fn are_named(ports: &[PortSpec], required: bool) -> bool {
    ports.iter().all(|spec| match &spec.name {
        Some(name) if required => is_port_name(name),
        Some(name) => !name.bytes().any(|byte| byte.is_ascii_uppercase()),
        None => !required,
    })
}

/// L2: no port is there twice; with `by_name`, ports of two names are two.
fn are_different(ports: &[PortSpec], by_name: bool) -> bool {
    let keys = ports.iter().map(|spec| {
        let name = spec.name.as_deref().filter(|_| by_name);
        (spec.port, spec.protocol, name)
    });
    ports.len() < 2 || keys.collect::<BTreeSet<_>>().len() == ports.len()
}

/// L2: one name and protocol is one number.
fn names_one_port(ports: &[PortSpec]) -> bool {
    let named = || ports.iter().filter(|spec| spec.name.is_some());
    let names: BTreeSet<_> = named().map(|spec| (spec.name.as_deref(), spec.protocol)).collect();
    let numbers: BTreeSet<_> = named().map(|spec| (spec.name.as_deref(), spec.protocol, spec.port)).collect();
    names.len() == numbers.len()
}

/// R1, R9: the only frontend port has the first backend port's protocol; each of several ports of an address
/// has a backend port of its name and protocol.
fn is_served(policy: &Policy) -> bool {
    let backend = &policy.backend.ports;
    match (&policy.frontend, policy.frontend.ports()) {
        (_, []) => true,
        (_, [only]) => backend.first().is_some_and(|first| first.protocol == only.protocol),
        (Matcher::Service { .. }, _) => true,
        (Matcher::Address { .. }, several) => {
            let served: BTreeSet<_> =
                backend.iter().map(|spec| (spec.name.as_deref(), spec.protocol)).collect();
            several.iter().all(|spec| served.contains(&(spec.name.as_deref(), spec.protocol)))
        }
    }
}

/// L15: the agent's address is not the frontend itself.
fn leads_back(policy: &Policy) -> bool {
    let Matcher::Address { ip, ports } = &policy.frontend else { return false };
    if policy.backend.address.is_none_or(|address| address.get() != ip.get()) {
        return false;
    }
    let caught: BTreeSet<_> = ports.iter().map(|spec| (spec.port, spec.protocol)).collect();
    policy.counting_backend_ports().iter().any(|spec| caught.contains(&(spec.port, spec.protocol)))
}

#[cfg(test)]
mod tests {
    use super::super::{Backend, Fallback, Operator, PolicyName, Port, Protocol, Requirement, Selector};
    use super::*;

    /// `53/UDP dns`: number, protocol and name.
    fn port(text: &str) -> PortSpec {
        let (port, name) = text.split_once(' ').map_or((text, None), |(port, name)| (port, Some(name)));
        let (number, protocol) = port.split_once('/').unwrap();
        let protocol = protocol.parse::<Protocol>().unwrap();
        PortSpec {
            port: Port::new(number.parse().unwrap()).unwrap(),
            protocol,
            name: name.map(str::to_owned),
        }
    }

    fn ports(texts: &[&str]) -> Vec<PortSpec> {
        texts.iter().map(|text| port(text)).collect()
    }

    fn policy(frontend: &[&str], backend: &[&str]) -> Policy {
        let app = Requirement::new("app".into(), Operator::In, vec!["x".into()]).unwrap();
        Policy {
            name: PolicyName { namespace: "default".into(), name: "p".into() },
            frontend: Matcher::Address { ip: "169.254.1.1".parse().unwrap(), ports: ports(frontend) },
            backend: Backend { selector: Selector::new(vec![app]), ports: ports(backend), address: None },
            skip: false,
            fallback: Fallback::Original,
            clients: Clients::All,
            nodes: None,
            shadow_service: false,
        }
    }

    fn service(name: &str, frontend: &[&str], backend: &[&str]) -> Policy {
        let frontend = Matcher::Service { name: name.into(), ports: ports(frontend) };
        Policy { frontend, ..policy(&["1/TCP"], backend) }
    }

    #[test]
    fn what_the_compiler_lets_through_is_whole() {
        for policy in [
            policy(&["80/TCP"], &["8080/TCP"]),
            policy(&["80/TCP 1 foo!"], &["8080/TCP "]),
            policy(&["80/TCP a", "81/TCP a"], &["8080/TCP a", "8080/TCP b"]),
            policy(&["53/UDP dns", "53/TCP dns"], &["53/UDP dns", "53/TCP dns"]),
            service("kube-dns", &[], &["53/UDP"]),
            service("kube-dns", &[], &["53/UDP dns", "53/UDP dns-too"]),
            service("kube-dns", &["53/UDP"], &["53/UDP dns", "54/UDP other"]),
        ] {
            assert_eq!(check(&policy), Ok(()), "{policy:?}");
        }
    }

    #[test]
    fn what_the_compiler_reports_is_refused() {
        let named = |namespace: &str, name: &str| Policy {
            name: PolicyName { namespace: namespace.into(), name: name.into() },
            ..policy(&["80/TCP"], &["80/TCP"])
        };
        let at = |address: &str, frontend: &[&str], backend: &[&str]| {
            let mut policy = policy(frontend, backend);
            policy.backend.address = Some(address.parse().unwrap());
            policy
        };
        let sound = || policy(&["80/TCP"], &["80/TCP"]);
        for (policy, broken) in [
            (named("", "p"), "no name that Kubernetes allows"),
            (named("default", ""), "no name that Kubernetes allows"),
            (named("default", "p\u{1b}[2J"), "no name that Kubernetes allows"),
            (service("", &[], &["53/UDP"]), "no name that Kubernetes allows"),
            (policy(&[], &["80/TCP"]), "an address policy has no port"),
            (policy(&["80/TCP"], &[]), "no backend port"),
            (Policy { nodes: Some(Selector::default()), ..sound() }, "empty selector"),
            (Policy { clients: Clients::Selector(Selector::default()), ..sound() }, "empty selector"),
            (policy(&["80/TCP A"], &["80/TCP"]), "a frontend port has a name"),
            (policy(&["80/TCP", "81/TCP b"], &["80/TCP a", "81/TCP b"]), "a frontend port has a name"),
            (policy(&["80/TCP"], &["80/TCP a", "81/TCP"]), "a backend port has a name"),
            (policy(&["80/TCP a", "80/TCP b"], &["80/TCP a", "81/TCP b"]), "a frontend port is listed twice"),
            (policy(&["80/TCP"], &["80/TCP a", "80/TCP b"]), "a backend port is listed twice"),
            (service("s", &[], &["80/TCP a", "80/TCP a"]), "a backend port is listed twice"),
            (service("s", &[], &["80/TCP a", "81/TCP a"]), "stands for two backend ports"),
            (policy(&["53/UDP"], &["53/TCP"]), "has no backend port"),
            (policy(&["80/TCP a", "81/TCP b"], &["80/TCP a", "81/UDP b"]), "has no backend port"),
            (at("169.254.1.1", &["80/TCP"], &["80/TCP"]), "its own frontend"),
        ] {
            let found = check(&policy).unwrap_err();
            assert!(found.contains(broken), "{found}: {policy:?}");
        }
        assert_eq!(check(&at("169.254.1.1", &["80/TCP"], &["81/TCP"])), Ok(()));
        assert_eq!(check(&at("169.254.1.2", &["80/TCP"], &["80/TCP"])), Ok(()));
    }
}
