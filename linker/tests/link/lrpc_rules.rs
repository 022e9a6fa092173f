//! What lrpc decides about a policy as a whole: L5-L8, L14, L18, L20, and the order of reasons.

use lrpc_schema::image::{Clients, Fallback, Image, Policy};
use serde_json::json;

use super::world::*;

fn to_80() -> Policy {
    address("169.254.20.10", &["80/TCP"], &["80/TCP"])
}

/// L5: without a backend traffic is left alone, or refused where the policy says `drop`.
#[test]
fn l05_fallback() {
    for (fallback, state) in [(Fallback::Original, "original"), (Fallback::Drop, "drop")] {
        let policy = Policy { fallback, ..to_80() };
        let row = format!("169.254.20.10:80/TCP {state} no-ready-backend");
        check([&policy], &[], &[&row], &["selector-matches-nothing"]);
        let row = format!("169.254.20.10:80/TCP {state} no-usable-backend");
        let objects = [pod("a", &["10.0.0.1"], &["81/TCP"])];
        check(&[policy], &objects, &[&row], &["container-port-missing"]);
    }
}

/// L5: a port that the policy does not serve is left alone, also where a pod cannot be identified.
#[test]
fn l05_covers_only_served_ports() {
    let policy = Policy { fallback: Fallback::Drop, ..service(&[], &["80/TCP"]) };
    let svc = svc(&["10.96.0.1"], &["80/TCP", "53/UDP"]);
    let nobody = with(pod("a", &["10.0.0.1"], &["80/TCP"]), "/metadata/uid", json!(null));
    let rows =
        ["10.96.0.1:53/UDP original backend-not-identified", "10.96.0.1:80/TCP drop backend-not-identified"];
    check(&[policy], &[svc, nobody], &rows, &["port-not-served", "backend-not-identified"]);
}

/// L6: the row says whose connections are meant, and lists the pods where a list is needed.
#[test]
fn l06_client_pods() {
    let objects = [
        pod("backend", &["10.0.0.1"], &["80/TCP"]),
        with(pod("client", &["10.0.0.2"], &[]), "/metadata/labels", json!({"role": "client"})),
        with(pod("done", &["10.0.0.3"], &[]), "/status/phase", "Succeeded"),
        with(pod("foreign", &["10.0.0.4"], &[]), "/metadata/namespace", "other"),
        with(pod("remote", &["10.0.0.5"], &[]), "/spec/nodeName", "n2"),
    ];
    for (clients, fallback, pods) in [
        (Clients::All, Fallback::Drop, vec![]),
        (Clients::Pods, Fallback::Drop, vec![]),
        (Clients::AllPods, Fallback::Drop, vec![]),
        (Clients::Namespace, Fallback::Original, vec!["backend", "client"]),
        (Clients::Selector(selector("role=client")), Fallback::Original, vec!["client"]),
        // Those that are no clients, so that a pod of which nobody knows yet is one.
        (Clients::Namespace, Fallback::Drop, vec!["foreign"]),
        (Clients::Selector(selector("role=client")), Fallback::Drop, vec!["backend", "foreign"]),
    ] {
        let linked = link(&[Policy { clients: clients.clone(), fallback, ..to_80() }], &objects);
        let row = &linked.map_set.rows()[0];
        let listed: Vec<_> = row.client_pods.iter().map(|pod| &*pod.name).collect();
        assert_eq!(listed, pods, "{clients}, {fallback:?}");
        assert_eq!(row.clients, clients);
    }
}

/// L7: elsewhere the policy does nothing, also under `drop`, and finds nothing about its pods.
#[test]
fn l07_node_selection() {
    let here = selector("kubernetes.io/hostname=n1");
    let there = selector("kubernetes.io/hostname=n2");
    let policy = |nodes| Policy { nodes: Some(nodes), fallback: Fallback::Drop, ..to_80() };
    let backend = pod("a", &["10.0.0.1"], &["80/TCP"]);
    let rows = ["169.254.20.10:80/TCP -> 10.0.0.1:80(a)"];
    check(&[policy(here)], &[backend], &rows, &[]);
    check(&[policy(there)], &[], &["169.254.20.10:80/TCP original node-not-selected"], &[]);
}

/// L8: a policy without the flag warns of its own backends, as far as they are clients.
#[test]
fn l08_self_redirect() {
    let policy = Policy { skip: false, ..to_80() };
    let backend = pod("a", &["10.0.0.1"], &["80/TCP"]);
    let rows = ["169.254.20.10:80/TCP -> 10.0.0.1:80(a)"];
    check([&policy], std::slice::from_ref(&backend), &rows, &["self-redirect"]);
    let clients = Clients::Selector(selector("role=client"));
    check(&[Policy { clients, ..policy.clone() }], std::slice::from_ref(&backend), &rows, &[]);
    let clients = Clients::Selector(selector("app=x"));
    check(&[Policy { clients, ..policy.clone() }], &[backend], &rows, &["self-redirect"]);
    let rows = ["169.254.20.10:80/TCP original no-ready-backend"];
    check(&[policy], &[], &rows, &["selector-matches-nothing"]);
}

/// L14: the image's list and the narrower one must both hold the address; Services are not concerned.
#[test]
fn l14_allow_list() {
    let backend = pod("a", &["10.0.0.1"], &["80/TCP"]);
    let drop = Policy { fallback: Fallback::Drop, ..to_80() };
    let all = [drop, named("s", service(&["80/TCP"], &["80/TCP"]))];
    let objects = [backend, svc(&["10.96.0.1"], &["80/TCP"])];
    let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    let reason = |image: Option<&[&str]>, narrow: Option<&[&str]>| {
        let image = Image::seal(all.to_vec(), image.map(nets).as_deref(), None);
        let objects = [&[node("n1", &[])], &objects[..]].concat();
        let narrow = narrow.map(nets);
        let linked = lrpc_linker::link(&image, &inventory(&objects), "n1", narrow.as_deref()).unwrap();
        assert_eq!(shown(&linked.map_set.rows()[0]), "10.96.0.1:80/TCP -> 10.0.0.1:80(a)");
        let codes: Vec<_> = linked.findings.iter().map(|finding| finding.code.as_str()).collect();
        (shown(&linked.map_set.rows()[1]), codes)
    };
    let allowed = ("169.254.20.10:80/TCP -> 10.0.0.1:80(a)".into(), vec![]);
    let refused = ("169.254.20.10:80/TCP original address-not-allowed".into(), vec!["address-not-allowed"]);
    let (link_local, other) = (Some(&["169.254.0.0/16"][..]), Some(&["192.0.2.0/24", "::/0"][..]));
    assert_eq!(reason(None, None), allowed);
    assert_eq!(reason(link_local, link_local), allowed);
    assert_eq!(reason(link_local, other), refused);
    assert_eq!(reason(other, link_local), refused);
    assert_eq!(reason(None, Some(&[])), refused);
}

/// L18: of several reasons the first in the order of docs/semantics.md is named.
#[test]
fn l18_the_first_reason_that_holds() {
    let svc = svc(&["10.96.0.1"], &["80/TCP"]);
    let nobody = with(pod("a", &["fd00::1"], &["80/TCP"]), "/metadata/uid", "");
    let mut policy = address("10.96.0.1", &["80/TCP"], &["80/TCP"]);
    policy.nodes = Some(selector("pool=none"));
    let none = [];
    let reason = |policy: &Policy, objects: &[serde_json::Value], narrow: Option<&[ipnet::IpNet]>| {
        link_narrow([policy], objects, narrow).map_set.rows()[0].reason().unwrap().as_str()
    };
    let objects = [svc, nobody.clone()];
    assert_eq!(reason(&policy, &objects, Some(&none)), "node-not-selected");
    policy.nodes = None;
    assert_eq!(reason(&policy, &objects, Some(&none)), "address-owned-by-service");
    assert_eq!(reason(&policy, std::slice::from_ref(&nobody), Some(&none)), "address-not-allowed");
    assert_eq!(reason(&policy, std::slice::from_ref(&nobody), None), "backend-not-identified");
    assert_eq!(reason(&policy, &[unready(nobody.clone())], None), "no-ready-backend");
    policy.skip = false;
    assert_eq!(reason(&policy, &[nobody], None), "no-usable-backend");
}

/// L20: a Service that keeps clients with one pod is warned of where a node has several backends.
#[test]
fn l20_session_affinity() {
    let sticky = with(svc(&["10.96.0.1"], &["80/TCP"]), "/spec/sessionAffinity", "ClientIP");
    let one = pod("a", &["10.0.0.1"], &["80/TCP"]);
    let policy = service(&["80/TCP"], &["80/TCP"]);
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:80(a)"];
    check([&policy], &[sticky.clone(), one.clone()], &rows, &[]);
    let rows = ["10.96.0.1:80/TCP -> 10.0.0.1:80(a) 10.0.0.2:80(b)"];
    check(&[policy], &[sticky, one, pod("b", &["10.0.0.2"], &["80/TCP"])], &rows, &["session-affinity"]);
}

/// A node that is not in the inventory cannot be linked.
#[test]
fn an_unknown_node_is_refused() {
    let image = Image::seal(vec![to_80()], None, None);
    let error = lrpc_linker::link(&image, &inventory(&[]), "n9", None).unwrap_err();
    assert_eq!(error.to_string(), "node `n9` is not in the inventory");
}
