//! Which pods are backends, and where: R3-R12, L4's judgement of ports, L8, L9, L15.

use lrpc_schema::image::{Fallback, Policy};

use super::world::*;

const META: &str = "169.254.20.10";

fn to_80() -> Policy {
    address(META, &["80/TCP"], &["80/TCP"])
}

/// R3: backends are pods of the policy's own namespace.
#[test]
fn r03_only_the_namespace_of_the_policy() {
    let other = with(pod("b", &["10.0.0.2"], &["80/TCP"]), "/metadata/namespace", "other");
    let rows = ["169.254.20.10:80/TCP original no-ready-backend"];
    check(&[to_80()], &[other], &rows, &["selector-matches-nothing"]);
}

/// R4: backends are on the same node, selected, and ready.
#[test]
fn r04_local_selected_ready() {
    let objects = [
        pod("a", &["10.0.0.1"], &["80/TCP"]),
        with(pod("b", &["10.0.0.2"], &["80/TCP"]), "/spec/nodeName", "n2"),
        with(pod("c", &["10.0.0.3"], &["80/TCP"]), "/metadata/labels/app", "y"),
        unready(pod("d", &["10.0.0.4"], &["80/TCP"])),
    ];
    check(&[to_80()], &objects, &["169.254.20.10:80/TCP -> 10.0.0.1:80(a)"], &[]);
}

/// R4: the first Ready condition counts; Unknown and missing are not ready.
#[test]
fn r04_the_first_ready_condition_counts() {
    let conditions = |conditions: &[&str]| -> serde_json::Value {
        conditions.iter().map(|status| serde_json::json!({"type": "Ready", "status": status})).collect()
    };
    let base = pod("a", &["10.0.0.1"], &["80/TCP"]);
    let redirect = "169.254.20.10:80/TCP -> 10.0.0.1:80(a)";
    let original = "169.254.20.10:80/TCP original no-ready-backend";
    for (list, row, codes) in [
        (vec!["True", "False"], redirect, vec![]),
        (vec!["False", "True"], original, vec!["no-ready-pod"]),
        (vec!["Unknown"], original, vec!["no-ready-pod"]),
        (vec![], original, vec!["no-ready-pod"]),
    ] {
        check(&[to_80()], &[with(base.clone(), "/status/conditions", conditions(&list))], &[row], &codes);
    }
}

/// R6: the union of podIP and podIPs, what is no address being skipped; each family serves its own.
#[test]
fn r06_all_addresses_of_a_pod() {
    let dual = with(pod("a", &["fd00::1", "none", "10.0.0.1"], &["80/TCP"]), "/status/podIP", "10.0.0.9");
    let rows = ["169.254.20.10:80/TCP -> 10.0.0.1:80(a) 10.0.0.9:80(a)"];
    check(&[to_80()], std::slice::from_ref(&dual), &rows, &[]);
    let six = address("fd00::254", &["80/TCP"], &["80/TCP"]);
    check(&[six], &[dual], &["[fd00::254]:80/TCP -> [fd00::1]:80(a)"], &[]);
}

/// R6, L4: pods at one address and port are one backend.
#[test]
fn r06_pods_of_one_host_are_one_backend() {
    let host = |name| with(pod(name, &["192.0.2.1"], &["80/TCP"]), "/spec/hostNetwork", true);
    check(&[to_80()], &[host("b"), host("a")], &["169.254.20.10:80/TCP -> 192.0.2.1:80(a b)"], &[]);
}

/// R7: ports of init and ephemeral containers are none.
#[test]
fn r07_only_regular_containers() {
    let init = with(
        pod("a", &["10.0.0.1"], &[]),
        "/spec/initContainers",
        serde_json::json!([{"restartPolicy": "Always", "ports": [{"containerPort": 81}]}]),
    );
    check(&[to_80()], &[init], &["169.254.20.10:80/TCP -> 10.0.0.1:80(a)"], &[]);
}

/// R8: number and protocol must be the backend port's, and only the first counts in a single kind.
#[test]
fn r08_single_kinds_take_the_first_port() {
    let policy = address(META, &["80/TCP"], &["8080/TCP", "8081/TCP"]);
    let pods = [pod("a", &["10.0.0.1"], &["8080/TCP", "8081/TCP"]), pod("b", &["10.0.0.2"], &["8081/TCP"])];
    check(&[policy], &pods, &["169.254.20.10:80/TCP -> 10.0.0.1:8080(a)"], &[]);
}

/// L4 over R8: a named backend port is one thing, so a pod's port must have the number *and* the name.
#[test]
fn l04_number_and_name_belong_together() {
    let policy = service(&["80/TCP a", "443/TCP b"], &["8080/TCP http", "8443/TCP https"]);
    let svc = svc(&["10.96.0.1"], &["80/TCP http", "443/TCP https"]);
    let crossed = pod("a", &["10.0.0.1"], &["8080/TCP https", "8443/TCP http"]);
    let rows =
        ["10.96.0.1:80/TCP original no-usable-backend", "10.96.0.1:443/TCP original no-usable-backend"];
    check([&policy], &[svc.clone(), crossed], &rows, &["name-chain-broken", "name-chain-broken"]);
    let twice = pod("a", &["10.0.0.1"], &["8080/TCP other", "8080/TCP http", "8443/TCP https"]);
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)", "10.96.0.1:443/TCP -> 10.0.0.1:8443(a)"];
    check(&[policy], &[svc, twice], &rows, &[]);
}

/// R9: names do not count in single kinds, and are compared exactly where they do.
#[test]
fn r09_where_names_count() {
    let single = address(META, &["80/TCP"], &["8080/TCP http"]);
    let web = pod("a", &["10.0.0.1"], &["8080/TCP web"]);
    check(&[single], std::slice::from_ref(&web), &["169.254.20.10:80/TCP -> 10.0.0.1:8080(a)"], &[]);
    let several = address(META, &["80/TCP http", "81/TCP web"], &["8080/TCP http", "8080/TCP web"]);
    let rows =
        ["169.254.20.10:80/TCP original no-usable-backend", "169.254.20.10:81/TCP -> 10.0.0.1:8080(a)"];
    check([&several], &[web], &rows, &["name-chain-broken"]);
    let upper = pod("a", &["10.0.0.1"], &["8080/TCP HTTP", "8080/TCP web"]);
    check(&[several], &[upper], &rows, &["name-chain-broken"]);
}

/// R10: a pod without declared ports serves the backend port where names do not count, and nowhere else.
#[test]
fn r10_pods_without_ports() {
    let bare = pod("a", &["10.0.0.1"], &[]);
    check(&[to_80()], std::slice::from_ref(&bare), &["169.254.20.10:80/TCP -> 10.0.0.1:80(a)"], &[]);
    let all = service(&[], &["8080/TCP http"]);
    let svc = svc(&["10.96.0.1"], &["80/TCP http"]);
    check(&[all], &[svc.clone(), bare.clone()], &["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)"], &[]);
    let two = service(&[], &["8080/TCP http", "8081/TCP web"]);
    let rows = ["10.96.0.1:80/TCP original no-usable-backend"];
    check(&[two], &[svc, bare], &rows, &["container-port-missing"]);
}

/// R10, R11: a pod that declares other ports, be it SCTP only, gives no backend.
#[test]
fn r11_pods_with_other_ports() {
    let rows = ["169.254.20.10:80/TCP original no-usable-backend"];
    for declared in ["81/TCP", "80/SCTP"] {
        let other = pod("a", &["10.0.0.1"], &[declared]);
        check(&[to_80()], &[other], &rows, &["container-port-missing"]);
    }
    check(&[to_80()], &[pod("a", &["10.0.0.1"], &["80/UDP"])], &rows, &["protocol-hole"]);
}

/// R17, L4: ready pods without a usable backend leave the traffic alone, in each shape that Cilium turns
/// into a black hole.
#[test]
fn r17_no_black_holes() {
    let hole = "169.254.20.10:80/TCP original no-usable-backend";
    check(&[to_80()], &[pod("a", &["fd00::1"], &["80/TCP"])], &[hole], &["family-hole"]);
    check(&[to_80()], &[pod("a", &[], &["80/TCP"])], &[hole], &["family-hole"]);
    let dual = svc(&["10.96.0.1", "fd00::96"], &["80/TCP"]);
    let four = pod("a", &["10.0.0.1"], &["8080/TCP"]);
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:8080(a)", "[fd00::96]:80/TCP original no-usable-backend"];
    check(&[service(&["80/TCP"], &["8080/TCP"])], &[dual, four], &rows, &["family-hole"]);
}

/// L9: terminating pods serve a frontend only where no other usable one does, frontend by frontend.
#[test]
fn l09_terminating_pods_come_last() {
    let policy = address(META, &["80/TCP a", "81/TCP b"], &["80/TCP a", "81/TCP b"]);
    let pods = [
        pod("stays", &["10.0.0.1"], &["80/TCP a"]),
        terminating(pod("goes", &["10.0.0.2"], &["80/TCP a", "81/TCP b"])),
    ];
    let rows = ["169.254.20.10:80/TCP -> 10.0.0.1:80(stays)", "169.254.20.10:81/TCP -> 10.0.0.2:81(goes)"];
    check(&[policy], &pods, &rows, &[]);
}

/// L9: a pod that has Succeeded or Failed is neither backend nor exempt, whatever its condition says.
#[test]
fn l09_finished_pods_are_none() {
    for phase in ["Succeeded", "Failed"] {
        let done = with(pod("a", &["10.0.0.1"], &["80/TCP"]), "/status/phase", phase);
        let rows = ["169.254.20.10:80/TCP drop no-ready-backend"];
        let policy = Policy { fallback: Fallback::Drop, ..to_80() };
        let linked = check(&[policy], &[done], &rows, &["no-ready-pod"]);
        assert_eq!(*linked.map_set.rows()[0].skip, []);
    }
}

/// L15: a hostNetwork pod's address is its own status's; the annotation takes the place of all of them.
#[test]
fn l15_the_backend_address_of_host_pods() {
    let host = with(pod("a", &["192.0.2.1"], &["988/TCP"]), "/spec/hostNetwork", true);
    let mut policy = address(META, &["80/TCP"], &["988/TCP"]);
    check(&[policy.clone()], std::slice::from_ref(&host), &["169.254.20.10:80/TCP -> 192.0.2.1:988(a)"], &[]);
    policy.backend.address = Some("169.254.169.252".parse().unwrap());
    let rows = ["169.254.20.10:80/TCP -> 169.254.169.252:988(a)"];
    check([&policy], &[with(host.clone(), "/status/podIPs", serde_json::json!([]))], &rows, &[]);
    let plain = pod("b", &["10.0.0.2"], &["988/TCP"]);
    check([&policy], &[host, plain.clone()], &rows, &["backend-address-ignored"]);
    let rows = ["169.254.20.10:80/TCP original no-usable-backend"];
    check(&[policy], &[plain], &rows, &["backend-address-ignored"]);
}

/// L8: exempt are all selected pods, ready or not, terminating or not, backend or not, but no finished one.
#[test]
fn l08_every_selected_pod_is_exempt() {
    let objects = [
        pod("backend", &["10.0.0.1"], &["80/TCP"]),
        pod("portless", &["10.0.0.2"], &["81/TCP"]),
        unready(pod("starting", &["10.0.0.3"], &["80/TCP"])),
        terminating(pod("stopping", &["10.0.0.4"], &["80/TCP"])),
        with(pod("done", &["10.0.0.5"], &["80/TCP"]), "/status/phase", "Failed"),
        with(pod("other", &["10.0.0.6"], &["80/TCP"]), "/metadata/labels/app", "y"),
    ];
    let exempt = |policy: Policy| {
        let linked = link(&[policy], &objects);
        let row = &linked.map_set.rows()[0];
        row.skip.iter().map(|pod| pod.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(exempt(to_80()), ["backend", "portless", "starting", "stopping"]);
    assert!(exempt(Policy { skip: false, ..to_80() }).is_empty());
    // A drop row keeps its list, an original one needs none.
    let unusable = address(META, &["80/TCP"], &["82/TCP"]);
    assert_eq!(exempt(Policy { fallback: Fallback::Drop, ..unusable.clone() }).len(), 4);
    assert!(exempt(unusable).is_empty());
}

/// L8: the cgroup of a mirror pod carries the UID in its annotation.
#[test]
fn l08_mirror_pods_go_by_their_annotation() {
    let annotations = serde_json::json!({"kubernetes.io/config.mirror": "hash"});
    let mirror = with(pod("a", &["10.0.0.1"], &["80/TCP"]), "/metadata/annotations", annotations);
    let linked = link(&[to_80()], &[mirror]);
    assert_eq!(linked.map_set.rows()[0].skip[0].uid.as_deref(), Some("hash"));
}

/// L8: with the flag, one ready pod without UID stops all rows of the policy, be it a backend or not.
#[test]
fn l08_a_ready_pod_without_uid_stops_the_policy() {
    let nobody = |pod| with(pod, "/metadata/uid", "");
    let good = pod("good", &["10.0.0.1"], &["80/TCP"]);
    let original = "169.254.20.10:80/TCP original backend-not-identified";
    for bad in [
        nobody(pod("bad", &["10.0.0.2"], &["81/TCP"])),
        nobody(terminating(pod("bad", &["10.0.0.2"], &["80/TCP"]))),
    ] {
        check(&[to_80()], &[good.clone(), bad.clone()], &[original], &["backend-not-identified"]);
        let without = Policy { skip: false, ..to_80() };
        assert_eq!(link(&[without], &[good.clone(), bad.clone()]).map_set.rows()[0].reason(), None);
        let drop = Policy { fallback: Fallback::Drop, ..to_80() };
        let rows = ["169.254.20.10:80/TCP drop backend-not-identified"];
        check(&[drop], &[good.clone(), bad], &rows, &["backend-not-identified"]);
    }
    let starting = nobody(unready(pod("starting", &["10.0.0.2"], &["80/TCP"])));
    check(&[to_80()], &[good, starting], &["169.254.20.10:80/TCP -> 10.0.0.1:80(good)"], &[]);
}
