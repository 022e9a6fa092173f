//! Which frontends a policy speaks of and which backend port serves each: R1, R13-R18, R21, L1, L4.

use lrpc_linker::Finding;
use lrpc_schema::image::{Fallback, Policy};
use serde_json::json;

use super::world::*;

/// R1: the five kinds, each redirected.
#[test]
fn r01_the_five_kinds() {
    let svc = svc(&["10.96.0.1"], &["53/UDP dns", "53/TCP dns-tcp"]);
    let cache = pod("a", &["10.0.0.1"], &["53/UDP dns", "53/TCP dns-tcp"]);
    let objects = [svc, cache];
    let udp = "10.96.0.1:53/UDP -> 10.0.0.1:53(a)";
    let both = ["10.96.0.1:53/TCP -> 10.0.0.1:53(a)", udp];
    let names = ["53/UDP dns", "53/TCP dns-tcp"];
    check(&[service(&[], &names)], &objects, &both, &[]);
    check(&[service(&["53/UDP"], &["53/UDP"])], &objects, &[udp], &[]);
    check(&[service(&names, &names)], &objects, &both, &[]);
    let rows = ["169.254.20.10:53/UDP -> 10.0.0.1:53(a)"];
    check(&[address("169.254.20.10", &["53/UDP"], &["53/UDP"])], &objects, &rows, &[]);
    let rows = ["169.254.20.10:53/TCP -> 10.0.0.1:53(a)", "169.254.20.10:53/UDP -> 10.0.0.1:53(a)"];
    check(&[address("169.254.20.10", &names, &names)], &objects, &rows, &[]);
}

/// R13: only the ClusterIP frontends of a Service are redirected, of each family.
#[test]
fn r13_cluster_addresses_only() {
    let balancer = with(svc(&["10.96.0.1", "fd00::96"], &["80/TCP"]), "/spec/type", "LoadBalancer");
    let balancer = with(balancer, "/spec/externalIPs", json!(["198.51.100.1"]));
    let balancer = with(balancer, "/status/loadBalancer", json!({"ingress": [{"ip": "198.51.100.2"}]}));
    let pod = pod("a", &["10.0.0.1", "fd00::1"], &["8080/TCP"]);
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)", "[fd00::96]:80/TCP -> [fd00::1]:8080(a)"];
    check(&[service(&["80/TCP"], &["8080/TCP"])], &[balancer, pod], &rows, &[]);
}

/// R13: Services without a ClusterIP frontend have no rows, and a finding says why.
#[test]
fn r13_services_without_a_cluster_address() {
    let policy = service(&["80/TCP"], &["8080/TCP"]);
    let backend = pod("a", &["10.0.0.1"], &["8080/TCP"]);
    check([&policy], std::slice::from_ref(&backend), &[], &["service-missing"]);
    let plain = svc(&["10.96.0.1"], &["80/TCP"]);
    for (hidden, why) in [
        (svc(&["None"], &["80/TCP"]), "headless"),
        (with(svc(&[], &["80/TCP"]), "/spec/clusterIP", ""), "no `clusterIP` yet"),
        (with(svc(&[], &[]), "/spec/type", "ExternalName"), "ExternalName"),
        (with(plain.clone(), "/metadata/labels", json!({"service.kubernetes.io/headless": ""})), "label"),
        (
            with(plain.clone(), "/metadata/annotations", json!({"service.cilium.io/type": "LoadBalancer"})),
            "type",
        ),
    ] {
        let linked = check([&policy], &[hidden, backend.clone()], &[], &["service-headless"]);
        let help = linked.findings[0].help.clone().unwrap();
        assert!(help.contains(why), "{help}");
    }
    let shown = with(plain, "/metadata/annotations", json!({"service.cilium.io/type": "ClusterIP"}));
    check(&[policy], &[shown, backend], &["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)"], &[]);
}

/// R13: `clusterIP` counts where `clusterIPs` is absent.
#[test]
fn r13_the_old_field() {
    let old = with(svc(&["10.96.0.1"], &["80/TCP"]), "/spec/clusterIPs", json!(null));
    let backend = pod("a", &["10.0.0.1"], &["8080/TCP"]);
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)"];
    check(&[service(&["80/TCP"], &["8080/TCP"])], &[old, backend], &rows, &[]);
}

/// R14: a listed port is compared by number and protocol, never by name; one that the Service lacks has no
/// row.
#[test]
fn r14_listed_ports() {
    let policy = service(&["80/TCP zzz", "53/UDP yyy", "81/TCP xxx"], &["8080/TCP http"]);
    let objects =
        [svc(&["10.96.0.1"], &["80/TCP http", "53/TCP dns"]), pod("a", &["10.0.0.1"], &["8080/TCP http"])];
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)"];
    let linked = check(&[policy], &objects, &rows, &["service-port-missing", "service-port-missing"]);
    let place = |finding: &Finding| finding.primary.as_ref().unwrap().at.field.to_string();
    let fields: Vec<_> = linked.findings.iter().map(place).collect();
    assert_eq!(
        fields,
        [1, 2].map(|place| format!("spec.redirectFrontend.serviceMatcher.toPorts[{place}].port"))
    );
}

/// R15: Service port name, backend port name and container port name must be one.
#[test]
fn r15_the_chain_of_names() {
    let policy = service(&["53/UDP a", "53/TCP b"], &["53/UDP dns", "53/TCP dns-tcp"]);
    let cache = pod("a", &["10.0.0.1"], &["53/UDP dns", "53/TCP dns-tcp"]);
    let other = svc(&["10.96.0.1"], &["53/UDP domain", "53/TCP dns-tcp"]);
    let rows = ["10.96.0.1:53/TCP -> 10.0.0.1:53(a)", "10.96.0.1:53/UDP original no-usable-backend"];
    let linked = check(&[policy], &[other, cache], &rows, &["name-chain-broken"]);
    let finding = &linked.findings[0];
    assert_eq!(
        finding.message,
        "no backend port is named `domain`, as port 53/UDP of Service `default/s` is"
    );
    assert_eq!(
        finding.help.as_deref(),
        Some(
            "one name must run through all three:\n  Service port:   `53/UDP (domain)`\n  backend port:   \
             `53/UDP (dns)`\n  container port: `53/UDP (dns)` in pod `default/a`"
        )
    );
}

/// R15: an unnamed Service port is served in a name-matching kind only if there is one backend port.
#[test]
fn r15_unnamed_service_ports() {
    let unnamed = svc(&["10.96.0.1"], &["80/TCP"]);
    let backend = pod("a", &["10.0.0.1"], &["8080/TCP http"]);
    let listed = ["80/TCP a", "81/TCP b"];
    let one = service(&listed, &["8080/TCP http"]);
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)"];
    check(&[one], &[unnamed.clone(), backend.clone()], &rows, &["service-port-missing"]);
    let two = service(&listed, &["8080/TCP http", "8081/TCP web"]);
    let rows = ["10.96.0.1:80/TCP original no-usable-backend"];
    let codes = ["name-chain-broken", "service-port-missing"];
    check(&[two], &[unnamed, backend], &rows, &codes);
}

/// R17 (e): with one backend port, the other listed frontends of a named service kind have no backend.
#[test]
fn r17_one_backend_port_for_two_frontends() {
    let policy = service(&["80/TCP a", "81/TCP b"], &["8080/TCP http"]);
    let objects =
        [svc(&["10.96.0.1"], &["80/TCP http", "81/TCP web"]), pod("a", &["10.0.0.1"], &["8080/TCP http"])];
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)", "10.96.0.1:81/TCP original no-usable-backend"];
    check(&[policy], &objects, &rows, &["name-chain-broken"]);
}

/// L4 (1): an all-ports policy with one backend port serves the only port of its protocol, whatever its
/// number and targetPort; the other protocol stays.
#[test]
fn l04_all_ports_1_the_only_port_of_the_protocol() {
    let objects = [
        svc(&["10.96.0.1"], &["53/UDP dns elsewhere", "53/TCP dns-tcp", "99/SCTP x"]),
        pod("a", &["10.0.0.1"], &["5353/UDP"]),
    ];
    let rows = ["10.96.0.1:53/TCP original port-not-served", "10.96.0.1:53/UDP -> 10.0.0.1:5353(a)"];
    let linked = check(&[service(&[], &["5353/UDP"])], &objects, &rows, &["port-not-served"]);
    assert!(linked.findings[0].help.as_ref().unwrap().starts_with("`53/TCP (dns-tcp)` stay"));
}

/// L4 (2): of several, those whose targetPort is the backend port: by number, by its own number where it is
/// absent, or by the name that a selected pod gives to it.
#[test]
fn l04_all_ports_2_by_target_port() {
    let svc = svc(
        &["10.96.0.1"],
        &["80/TCP a 8080", "8080/TCP b", "82/TCP c http", "83/TCP d other", "84/TCP e 84", "8081/TCP f 8080"],
    );
    let named = pod("named", &["10.0.0.1"], &["8080/TCP http"]);
    let plain = pod("plain", &["10.0.0.2"], &["8080/TCP"]);
    let bare = pod("bare", &["10.0.0.3"], &[]);
    let rows = [
        "10.96.0.1:80/TCP -> 10.0.0.1:8080(named) 10.0.0.2:8080(plain) 10.0.0.3:8080(bare)",
        "10.96.0.1:82/TCP -> 10.0.0.1:8080(named)",
        "10.96.0.1:83/TCP original port-not-served",
        "10.96.0.1:84/TCP original port-not-served",
        "10.96.0.1:8080/TCP -> 10.0.0.1:8080(named) 10.0.0.2:8080(plain) 10.0.0.3:8080(bare)",
        "10.96.0.1:8081/TCP -> 10.0.0.1:8080(named) 10.0.0.2:8080(plain) 10.0.0.3:8080(bare)",
    ];
    check(&[service(&[], &["8080/TCP"])], &[svc, named, plain, bare], &rows, &["port-not-served"]);
}

/// L4 (2): pods that are not ready say what a name means; terminating ones only where there is no other;
/// those that L15 leaves without an address never; without any pod every name may be meant.
#[test]
fn l04_all_ports_2_who_says_what_a_name_means() {
    let svc = svc(&["10.96.0.1"], &["80/TCP a http", "81/TCP b 81"]);
    let policy = Policy { fallback: Fallback::Drop, ..service(&[], &["8080/TCP"]) };
    let named = || pod("named", &["10.0.0.1"], &["8080/TCP http"]);
    let other = || pod("other", &["10.0.0.2"], &["8080/TCP web"]);
    let first = |policy: &Policy, pods: &[serde_json::Value]| {
        let linked = link([policy], &[std::slice::from_ref(&svc), pods].concat());
        shown(&linked.map_set.rows()[0])
    };
    let unserved = "10.96.0.1:80/TCP original port-not-served";
    let not_ready = "10.96.0.1:80/TCP drop no-ready-backend";
    let unusable = "10.96.0.1:80/TCP drop no-usable-backend";
    assert_eq!(first(&policy, &[unready(named())]), not_ready);
    assert_eq!(first(&policy, &[unready(named()), other()]), unusable);
    assert_eq!(first(&policy, &[unready(terminating(named()))]), not_ready);
    assert_eq!(first(&policy, &[unready(terminating(named())), other()]), unserved);
    assert_eq!(first(&policy, &[other()]), unserved);
    assert_eq!(first(&policy, &[]), not_ready);
    let mut elsewhere = policy.clone();
    elsewhere.backend.address = Some("169.254.169.252".parse().unwrap());
    let host_other = with(other(), "/spec/hostNetwork", true);
    assert_eq!(first(&elsewhere, &[named(), host_other.clone()]), unserved);
    assert_eq!(first(&elsewhere, &[unready(terminating(host_other)), named()]), unserved);
    assert_eq!(first(&elsewhere, &[named()]), unusable);
}

/// L4 (3): if no targetPort is the backend port, the port of the same number.
#[test]
fn l04_all_ports_3_by_number() {
    let svc = svc(&["10.96.0.1"], &["80/TCP a 1", "81/TCP b web", "80/UDP c 80"]);
    let backend = pod("a", &["10.0.0.1"], &["80/TCP"]);
    let rows = [
        "10.96.0.1:80/TCP -> 10.0.0.1:80(a)",
        "10.96.0.1:80/UDP original port-not-served",
        "10.96.0.1:81/TCP original port-not-served",
    ];
    check(&[service(&[], &["80/TCP"])], &[svc, backend], &rows, &["port-not-served"]);
}

/// L4 (4): a port that is not served is left alone also under `drop`, and one warning says so.
#[test]
fn l04_all_ports_4_what_is_not_served() {
    let policy = Policy { fallback: Fallback::Drop, ..service(&[], &["80/TCP"]) };
    let svc = svc(&["10.96.0.1", "fd00::96"], &["81/TCP a 1", "82/TCP b 2"]);
    let rows = [
        "10.96.0.1:81/TCP original port-not-served",
        "10.96.0.1:82/TCP original port-not-served",
        "[fd00::96]:81/TCP original port-not-served",
        "[fd00::96]:82/TCP original port-not-served",
    ];
    check(&[policy], &[svc, pod("a", &["10.0.0.1"], &["80/TCP"])], &rows, &["port-not-served"]);
}

/// L4: with several backend ports a Service port is served by the one of its name and protocol.
#[test]
fn l04_all_ports_with_several_backend_ports() {
    let policy = service(&[], &["5353/UDP dns", "5353/TCP dns-tcp"]);
    let svc = svc(&["10.96.0.1"], &["53/UDP dns", "53/TCP dns", "54/TCP dns-tcp", "55/TCP"]);
    let backend = pod("a", &["10.0.0.1"], &["5353/UDP dns", "5353/TCP dns-tcp"]);
    let rows = [
        "10.96.0.1:53/TCP original port-not-served",
        "10.96.0.1:53/UDP -> 10.0.0.1:5353(a)",
        "10.96.0.1:54/TCP -> 10.0.0.1:5353(a)",
        "10.96.0.1:55/TCP original port-not-served",
    ];
    check(&[policy], &[svc, backend], &rows, &["port-not-served"]);
}

/// R21: an address frontend has a row for each listed port, whatever runs.
#[test]
fn r21_an_address_always_has_its_rows() {
    let policy = address("169.254.20.10", &["80/TCP a", "443/TCP b"], &["80/TCP a", "443/TCP b"]);
    let rows =
        ["169.254.20.10:80/TCP original no-ready-backend", "169.254.20.10:443/TCP original no-ready-backend"];
    check(&[policy], &[], &rows, &["selector-matches-nothing"]);
}

/// L1: an address policy does not take a frontend of a Service, of whatever kind, unless it says so; other
/// ports of the address are free.
#[test]
fn l01_frontends_of_services_are_guarded() {
    let owner = with(svc(&["10.96.0.1"], &["80/TCP"]), "/spec/type", "LoadBalancer");
    let owner = with(owner, "/spec/externalIPs", json!(["198.51.100.1"]));
    let ingress = json!({"ingress": [{"ip": "198.51.100.2", "ipMode": "VIP"}, {"ip": "198.51.100.3", "ipMode": "Proxy"}]});
    let owner = with(owner, "/status/loadBalancer", ingress);
    let owner = with(owner, "/spec/ports/0/nodePort", 30080);
    let nodes = node("n2", &["192.0.2.2", "2001:db8::2"]);
    let objects = [owner, nodes, pod("a", &["10.0.0.1", "fd00::1"], &["80/TCP"])];
    for (ip, port, is_owned) in [
        ("10.96.0.1", 80, true),
        ("10.96.0.1", 81, false),
        ("198.51.100.1", 80, true),
        ("198.51.100.2", 80, true),
        ("198.51.100.3", 80, false),
        ("192.0.2.1", 30080, true),
        ("192.0.2.2", 30080, true),
        ("192.0.2.2", 80, false),
        // The Service has no IPv6, so its node port is not served there.
        ("2001:db8::2", 30080, false),
    ] {
        let policy = address(ip, &[&format!("{port}/TCP")], &["80/TCP"]);
        let linked = link([&policy], &objects);
        let owned = "original address-owned-by-service";
        assert_eq!(shown(&linked.map_set.rows()[0]).ends_with(owned), is_owned, "{ip}:{port}");
        assert_eq!(linked.findings.len(), usize::from(is_owned), "{:?}", linked.findings);
        let shadow = Policy { shadow_service: true, ..policy };
        assert_eq!(link(&[shadow], &objects).map_set.rows()[0].reason(), None, "{ip}:{port}");
    }
}

/// L1: a service policy and an address policy on one frontend are an overlap whatever the annotation says,
/// and the row is the service policy's.
#[test]
fn l01_a_service_policy_keeps_its_frontend() {
    let shadow =
        Policy { shadow_service: true, ..named("a", address("10.96.0.1", &["80/TCP"], &["80/TCP"])) };
    let objects = [svc(&["10.96.0.1"], &["80/TCP"]), pod("a", &["10.0.0.1"], &["8080/TCP", "80/TCP"])];
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)"];
    let both = [shadow, service(&["80/TCP"], &["8080/TCP"])];
    let linked = check(&both, &objects, &rows, &["frontend-overlap"]);
    assert_eq!(&*linked.map_set.rows()[0].policy.name, "p");
    let finding = &linked.findings[0];
    assert_eq!((&*finding.policy.as_ref().unwrap().name, &*finding.related[0].at.policy.name), ("a", "p"));
}

/// L1, L7: the findings about ownership do not depend on the nodes on which the policies act.
#[test]
fn l01_does_not_depend_on_l07() {
    let elsewhere = |policy| Policy { nodes: Some(selector("pool=none")), ..policy };
    let owned = elsewhere(named("a", address("10.96.0.1", &["81/TCP"], &["80/TCP"])));
    let overlap = elsewhere(named("b", address("10.96.0.1", &["80/TCP"], &["80/TCP"])));
    let svc = svc(&["10.96.0.1"], &["80/TCP", "81/TCP"]);
    let rows = ["10.96.0.1:80/TCP original node-not-selected", "10.96.0.1:81/TCP original node-not-selected"];
    let all = [owned, overlap, elsewhere(service(&["80/TCP"], &["80/TCP"]))];
    check(&all, &[svc], &rows, &["address-owned-by-service", "frontend-overlap"]);
}
