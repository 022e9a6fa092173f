//! A second reading of the findings that weigh what a policy's pods and clients are: slow, obvious, and without
//! a line of `link`'s; and each of them by example.

use std::collections::BTreeSet;

use lrpc_linker::Linker;
use lrpc_schema::image::{Clients, Fallback, Image, Matcher, Policy};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::properties::{config, world};
use super::world::*;

const CODES: [&str; 4] =
    ["internal-traffic-local", "metadata-address", "self-redirect", "service-selects-fewer"];

fn of_kind<'v>(objects: &'v [Value], kind: &str) -> Vec<&'v Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

fn is_running(pod: &Value) -> bool {
    pod["status"]["phase"] != "Succeeded" && pod["status"]["phase"] != "Failed"
}

/// Whether a policy selects a pod on any node.
fn policy_selects(policy: &Policy, pod: &Value) -> bool {
    is_running(pod)
        && pod["metadata"]["namespace"] == *policy.name.namespace
        && policy.backend.selector.requirements().iter().all(|one| {
            one.values().iter().any(|value| pod["metadata"]["labels"][one.key()] == value.as_str())
        })
}

fn service_selects(service: &Value, pod: &Value) -> bool {
    let wanted = service["spec"]["selector"].as_object();
    is_running(pod)
        && pod["metadata"]["namespace"] == service["metadata"]["namespace"]
        && wanted.is_some_and(|wanted| {
            !wanted.is_empty() && wanted.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value)
        })
}

fn acts_on(policy: &Policy, node: &Value) -> bool {
    policy.nodes.as_ref().is_none_or(|selector| {
        selector.requirements().iter().all(|one| {
            one.values().iter().any(|value| node["metadata"]["labels"][one.key()] == value.as_str())
        })
    })
}

/// The Service of a policy that has cluster addresses.
fn service_of<'v>(policy: &Policy, objects: &'v [Value]) -> Option<&'v Value> {
    let Matcher::Service { name, .. } = &policy.frontend else { return None };
    of_kind(objects, "Service").into_iter().find(|service| {
        service["metadata"]["name"] == name.as_str()
            && service["metadata"]["namespace"] == *policy.name.namespace
    })
}

fn naive(
    policies: &[Policy],
    objects: &[Value],
    node: &str,
    rows: &[lrpc_linker::mapset::Row],
) -> BTreeSet<(String, String)> {
    let nodes = of_kind(objects, "Node");
    let pods = of_kind(objects, "Pod");
    let here = nodes.iter().find(|one| one["metadata"]["name"] == node).unwrap();
    let mut found = BTreeSet::new();
    for policy in policies.iter().filter(|policy| acts_on(policy, here)) {
        let mut say = |code: &str| found.insert((policy.name.name.to_string(), code.to_owned()));
        let service = service_of(policy, objects);
        let with_address = service.filter(|service| service["spec"]["clusterIPs"] != json!(["None"]));
        if let Some(service) = with_address {
            let reached = pods.iter().filter(|pod| {
                let on = nodes.iter().find(|node| node["metadata"]["name"] == pod["spec"]["nodeName"]);
                policy_selects(policy, pod) && on.is_some_and(|node| acts_on(policy, node))
            });
            let is_own: Vec<_> = reached.map(|pod| service_selects(service, pod)).collect();
            let has_selector = service["spec"]["selector"].as_object().is_some_and(|map| !map.is_empty());
            if has_selector && is_own.contains(&true) && is_own.contains(&false) {
                say("service-selects-fewer");
            }
            if service["spec"]["internalTrafficPolicy"] == "Local" && policy.fallback == Fallback::Original {
                say("internal-traffic-local");
            }
        }
        let mine: Vec<_> = rows.iter().filter(|row| row.policy == policy.name).collect();
        let pod_of = |name: &str| pods.iter().find(|pod| pod["metadata"]["name"] == name).unwrap();
        let meets_itself =
            mine.iter().flat_map(|row| row.backends()).flat_map(|backend| &backend.pods).any(|pod| {
                let pod = pod_of(&pod.name);
                let is_client = match &policy.clients {
                    Clients::All | Clients::AllPods | Clients::Namespace => true,
                    Clients::Pods => pod["spec"]["hostNetwork"] != true,
                    Clients::Selector(selector) => selector.requirements().iter().all(|one| {
                        one.values()
                            .iter()
                            .any(|value| pod["metadata"]["labels"][one.key()] == value.as_str())
                    }),
                };
                is_client && !service.is_some_and(|service| service_selects(service, pod))
            });
        let has_upstream = service.is_some_and(|service| {
            let own: Vec<_> = pods.iter().filter(|pod| service_selects(service, pod)).collect();
            of_kind(objects, "Service").into_iter().any(|other| {
                let is_redirected = policies.iter().any(|policy| {
                    service_of(policy, objects) == Some(other)
                        || policy.shadow_service
                            && rows.iter().any(|row| {
                                let ip = row.frontend.address.to_string();
                                row.policy == policy.name
                                    && row.service.is_none()
                                    && of_port(other, row, &ip, &nodes)
                            })
                });
                let same_selector = other["spec"]["selector"].is_object()
                    && other["spec"]["selector"] == service["spec"]["selector"];
                let others: Vec<_> = pods.iter().filter(|pod| service_selects(other, pod)).collect();
                other != service && !is_redirected && (same_selector || !own.is_empty() && own == others)
            })
        });
        if !policy.skip && meets_itself && !has_upstream {
            say("self-redirect");
        }
        let is_taken = mine.iter().any(|row| {
            let kept = ["node-not-selected", "address-owned-by-service", "address-not-allowed"];
            row.service.is_none()
                && ["169.254.169.254", "fd00:ec2::254", "169.254.170.2"]
                    .contains(&&*row.frontend.address.to_string())
                && row.frontend.port.get() == 80
                && row.frontend.protocol.as_str() == "TCP"
                && !row.reason().is_some_and(|reason| kept.contains(&reason.as_str()))
        });
        let catches_a_pod = pods.iter().any(|pod| {
            pod["spec"]["hostNetwork"] == true
                && pod["spec"]["nodeName"] == node
                && is_running(pod)
                && !(policy.skip && policy_selects(policy, pod))
        });
        if is_taken && (policy.clients == Clients::All || policy.clients == Clients::AllPods && catches_a_pod)
        {
            say("metadata-address");
        }
    }
    found
}

/// Whether the frontend of a row is a Service's, as the first of those that have it.
fn of_port(service: &Value, row: &lrpc_linker::mapset::Row, ip: &str, nodes: &[&Value]) -> bool {
    let has =
        |field: &str| service["spec"][field].as_array().is_some_and(|list| list.iter().any(|one| one == ip));
    let is_node = nodes.iter().any(|node| {
        node["status"]["addresses"].as_array().is_some_and(|list| list.iter().any(|one| one["address"] == ip))
    });
    let in_family = service["spec"]["clusterIPs"].as_array().is_some_and(|list| {
        list.iter()
            .any(|one| one.as_str().is_some_and(|one| one != "None" && one.contains(':') == ip.contains(':')))
    });
    service["spec"]["ports"].as_array().is_some_and(|ports| {
        ports.iter().any(|port| {
            port["protocol"] == row.frontend.protocol.as_str()
                && (port["port"] == row.frontend.port.get() && (has("clusterIPs") || has("externalIPs"))
                    || is_node && in_family && port["nodePort"] == row.frontend.port.get())
        })
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn advice_agrees_with_a_naive_reading(bytes in prop::collection::vec(any::<u8>(), 40..160)) {
        let (policies, objects, narrow) = world(&bytes);
        let (image, inventory) = (Image::seal(policies.clone(), None, None), inventory(&objects));
        let linker = Linker::new(&image, &inventory, narrow.as_deref());
        for node in ["n1", "n2"] {
            let linked = linker.link(node).unwrap();
            let found: BTreeSet<_> = linked.findings.iter()
                .filter(|finding| CODES.contains(&finding.code.as_str()))
                .map(|finding| (finding.policy.as_ref().unwrap().name.to_string(), finding.code.to_string()))
                .collect();
            let expected = naive(&policies, &objects, node, linked.map_set.rows());
            prop_assert_eq!(found, expected, "{:#?}\n{:#}", policies, json!(objects));
        }
    }
}

/// The worlds are worth the comparing.
#[test]
fn the_worlds_meet_every_advice() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(any::<u8>(), 40..160);
    let mut met = std::collections::BTreeMap::new();
    for _ in 0..4_000 {
        let (policies, objects, narrow) = world(&strategy.new_tree(&mut runner).unwrap().current());
        let image = Image::seal(policies, None, None);
        let linked = lrpc_linker::link(&image, &inventory(&objects), "n1", narrow.as_deref()).unwrap();
        for finding in linked.findings {
            *met.entry(finding.code.to_string()).or_insert(0) += 1;
        }
    }
    for code in CODES {
        assert!(met.get(code).is_some_and(|&count| count >= 15), "{code}: {met:?}");
    }
}

fn with_labels(object: Value, labels: Value) -> Value {
    with(object, "/metadata/labels", labels)
}

fn found(policies: &[Policy], objects: &[Value]) -> Vec<(String, String)> {
    let findings = link(policies, objects).findings;
    findings.into_iter().map(|found| (found.code.to_string(), found.help.unwrap())).collect()
}

/// L8: an upstream Service, by selector or by pods, as long as no policy redirects it; or the Service's own
/// pods. An address has neither.
#[test]
fn l08_backends_with_an_upstream_are_no_loop() {
    let cache = Policy { skip: false, ..service(&["53/UDP"], &["53/UDP"]) };
    let selecting = |name: &str, selector: Value| {
        with(with(svc(&["10.96.0.1"], &["53/UDP"]), "/metadata/name", name), "/spec/selector", selector)
    };
    let own = selecting("s", json!({"app": "dns"}));
    let upstream = selecting("up", json!({"app": "dns"}));
    let other_words = selecting("up", json!({"role": "dns"}));
    let server = with_labels(pod("dns", &["10.0.0.9"], &["53/UDP"]), json!({"app": "dns", "role": "dns"}));
    let backend = pod("a", &["10.0.0.1"], &["53/UDP"]);
    let codes = |policies: &[Policy], objects: &[&Value]| -> Vec<String> {
        let objects: Vec<_> = objects.iter().map(|&object| object.clone()).collect();
        found(policies, &objects).into_iter().map(|(code, _)| code).collect()
    };
    let policies = std::slice::from_ref(&cache);
    assert_eq!(codes(policies, &[&own, &server, &backend]), ["self-redirect"]);
    assert_eq!(codes(policies, &[&own, &upstream, &server, &backend]), [""; 0]);
    assert_eq!(codes(policies, &[&own, &other_words, &server, &backend]), [""; 0]);
    assert_eq!(
        codes(policies, &[&own, &other_words, &backend]),
        ["self-redirect"],
        "no pods are no same pods"
    );
    let elsewhere = with(upstream.clone(), "/metadata/namespace", "other");
    assert_eq!(codes(policies, &[&own, &elsewhere, &server, &backend]), ["self-redirect"]);
    let mut second = named("q", cache.clone());
    let Matcher::Service { name, .. } = &mut second.frontend else { unreachable!() };
    *name = "up".into();
    let both = [cache.clone(), second];
    let upstream = with(upstream, "/spec/clusterIPs", json!(["10.96.0.2"]));
    assert_eq!(codes(&both, &[&own, &upstream, &server, &backend]), ["self-redirect"; 2]);
    let agents = selecting("s", json!({"app": "x"}));
    assert_eq!(codes(policies, &[&agents, &backend]), [""; 0], "its own pods");
    let address = Policy { skip: false, ..address("10.96.0.7", &["53/UDP"], &["53/UDP"]) };
    assert_eq!(codes(&[address], &[&own, &upstream, &server, &backend]), ["self-redirect"]);
}

#[test]
fn l06_metadata_is_the_pod_networks() {
    let policy = |ip: &str, port: &str, clients| Policy { clients, ..address(ip, &[port], &["80/TCP"]) };
    let backend = pod("a", &["10.0.0.1"], &["80/TCP"]);
    let agent =
        with_labels(with(pod("cni", &["192.0.2.1"], &[]), "/spec/hostNetwork", true), json!({"app": "cni"}));
    let agent = with(agent, "/metadata/namespace", "kube-system");
    let advice = |policy: Policy, objects: &[Value]| found(&[policy], objects);
    for ip in ["169.254.169.254", "fd00:ec2::254", "169.254.170.2"] {
        let backend = if ip.contains(':') { pod("a", &["fd00::1"], &["80/TCP"]) } else { backend.clone() };
        let objects = [backend.clone(), agent.clone()];
        let [(code, help)] = &advice(policy(ip, "80/TCP", Clients::All), &objects)[..] else {
            panic!("{ip}")
        };
        assert_eq!(code, "metadata-address");
        assert!(help.contains("`lrpc.dev/clients: pods`") && help.contains("`kube-system/cni`"), "{help}");
        assert_eq!(advice(policy(ip, "80/TCP", Clients::AllPods), &objects).len(), 1);
        assert_eq!(advice(policy(ip, "80/TCP", Clients::AllPods), &[backend]), [], "no hostNetwork pod");
        assert_eq!(advice(policy(ip, "80/TCP", Clients::Pods), &objects), []);
        assert_eq!(advice(policy(ip, "80/TCP", Clients::Namespace), &objects), []);
        assert_eq!(advice(policy(ip, "8080/TCP", Clients::All), &objects), [], "no cloud answers there");
    }
    assert_eq!(advice(policy("169.254.20.10", "80/TCP", Clients::All), &[backend, agent]), []);
}

#[test]
fn r03_a_service_that_leaves_pods_out() {
    let to_s = service(&["80/TCP"], &["80/TCP"]);
    let s = |selector: Value| with(svc(&["10.96.0.1"], &["80/TCP"]), "/spec/selector", selector);
    let primary = with_labels(pod("a", &["10.0.0.1"], &["80/TCP"]), json!({"app": "x", "role": "primary"}));
    let replica = with_labels(pod("b", &["10.0.0.2"], &["80/TCP"]), json!({"app": "x", "role": "replica"}));
    let elsewhere = with(replica.clone(), "/spec/nodeName", "n2");
    let nodes = [node("n2", &["192.0.2.2"])];
    let advice = |objects: &[Value]| found(std::slice::from_ref(&to_s), &[objects, &nodes].concat());
    let some = s(json!({"app": "x", "role": "primary"}));
    let [(code, help)] = &advice(&[some.clone(), primary.clone(), elsewhere])[..] else { panic!("one") };
    assert_eq!(code, "service-selects-fewer");
    assert!(help.contains("`default/b`") && help.contains("`app=x,role=primary`"), "{help}");
    assert_eq!(advice(&[s(json!({"app": "x"})), primary.clone(), replica.clone()]), [], "all");
    assert_eq!(advice(&[s(json!({"app": "y"})), primary.clone(), replica.clone()]), [], "none");
    assert_eq!(advice(&[s(json!({})), primary.clone(), replica.clone()]), [], "no selector");
    let done = with(replica, "/status/phase", "Succeeded");
    assert_eq!(advice(&[some, primary, done]), [], "a finished pod is not reached");
}

#[test]
fn l05_a_service_that_drops_is_no_net() {
    let local = with(svc(&["10.96.0.1"], &["80/TCP"]), "/spec/internalTrafficPolicy", "Local");
    let objects = [local, pod("a", &["10.0.0.1"], &["80/TCP"])];
    let policy = |fallback| Policy { fallback, ..service(&["80/TCP"], &["80/TCP"]) };
    assert_eq!(found(&[policy(Fallback::Original)], &objects)[0].0, "internal-traffic-local");
    assert_eq!(found(&[policy(Fallback::Drop)], &objects), []);
}
