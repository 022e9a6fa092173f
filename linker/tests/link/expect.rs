//! Expectations: which connections a pattern means, what is not as expected, and that nothing passes that was
//! not looked at.

use std::collections::BTreeMap;

use lrpc_linker::Linker;
use lrpc_linker::expect::{BackendPattern, Cluster, Expectation, FlowPattern, Nodes};
use lrpc_linker::mapset::State;
use lrpc_linker::profile::Profile;
use lrpc_linker::trace::Reason;
use lrpc_schema::image::Image;
use serde_json::{Value, json};

use super::world::*;

const TO: &str = "to 169.254.169.254:80";

/// Backends `a` on `n1` and `b` on `n2`, and a client `c-1` on `n2` alone.
fn objects() -> Vec<Value> {
    let on = |pod: Value, node: &str| with(pod, "/spec/nodeName", node);
    let client = with(pod("c-1", &["10.0.2.3"], &[]), "/metadata/labels/app", "y");
    vec![
        node("n1", &["192.0.2.1"]),
        node("n2", &["192.0.2.2"]),
        on(pod("a", &["10.0.1.1"], &["80/TCP"]), "n1"),
        on(pod("b", &["10.0.2.1"], &["80/TCP"]), "n2"),
        on(client, "n2"),
    ]
}

fn expecting(flow: &str, decision: State) -> Expectation {
    Expectation {
        flow: flow.parse().unwrap(),
        nodes: Nodes::default(),
        decision,
        reason: None,
        policy: None,
        backends: Vec::new(),
    }
}

/// How many connections are looked at, and what is not as expected, by node.
#[track_caller]
fn check(expectation: &Expectation, objects: &[Value]) -> (usize, Vec<String>) {
    let image = Image::seal(vec![address("169.254.169.254", &["80/TCP"], &["80/TCP"])], None, None);
    let inventory = inventory(objects);
    let linker = Linker::new(&image, &inventory, None);
    let linked = |node: &lrpc_linker::inventory::Node| linker.link(&node.name).unwrap().map_set;
    let nodes: BTreeMap<_, _> = inventory.nodes().map(|node| (&*node.name, linked(node))).collect();
    let cluster = Cluster { image: &image, inventory: &inventory, nodes, profile: Profile::default() };
    let verdict = cluster.check(expectation);
    let said = verdict.misses.iter().map(|miss| match &miss.traced {
        Some(traced) => format!("{} {}: {}", traced.node, traced.flow.source, miss.message),
        None => miss.message.clone(),
    });
    (verdict.connections, said.collect())
}

#[test]
fn clients_are_found_on_every_node_or_on_the_named_ones() {
    let objects = objects();
    for (source, count) in [
        ("host", 2),
        ("default/c-1", 1),
        ("default/c-*", 1),
        ("default/*", 3),
        ("default/{app=y}", 1),
        ("default/{app=x}", 2),
        ("10.0.2.3", 1),
        ("192.0.2.1", 1),
    ] {
        let expectation = expecting(&format!("tcp from {source} {TO}"), State::Redirect);
        let found = check(&expectation, &objects);
        assert_eq!(found.0, count, "{source}");
        // A backend's own connections are left alone (L8).
        let own = found.1.iter().filter(|said| said.ends_with("original (own-traffic), expected redirect"));
        assert_eq!(found.1.len(), own.count(), "{source}: {:?}", found.1);
    }
    let named = |nodes| Expectation { nodes, ..expecting(&format!("tcp from host {TO}"), State::Redirect) };
    assert_eq!(check(&named(Nodes::Named(vec!["n2".into()])), &objects), (1, vec![]));
    assert_eq!(check(&named(Nodes::All), &objects), (2, vec![]));
}

#[test]
fn what_is_not_there_is_not_passed() {
    let says = |expectation: &Expectation, objects: &[Value]| {
        let (connections, said) = check(expectation, objects);
        assert!(connections <= 1, "{said:?}");
        said.join("; ")
    };
    let of = |flow: &str| expecting(flow, State::Original);
    let objects = objects();
    for (flow, said) in [
        ("tcp from default/nobody to 1.2.3.4:1", "no pod that can connect is default/nobody"),
        ("tcp from other/{app=x} to 1.2.3.4:1", "no pod that can connect is other/{app=x}"),
        ("tcp from 10.9.9.9 to 1.2.3.4:1", "nothing that can connect has the address 10.9.9.9"),
        ("tcp from host to default/s:80", "Service default/s is not in the inventory"),
    ] {
        assert_eq!(says(&of(flow), &objects), said, "{flow}");
    }
    let client = "tcp from default/c-1 to 1.2.3.4:1";
    let all = Expectation { nodes: Nodes::All, ..of(client) };
    assert_eq!(says(&all, &objects), "no pod that can connect is default/c-1 on node n1");
    let strange = Expectation { nodes: Nodes::Named(vec!["n2".into(), "n3".into()]), ..of(client) };
    assert_eq!(says(&strange, &objects), "node n3 is not in the inventory");
    let finished = with(objects[4].clone(), "/status/phase", "Succeeded");
    let without = [&objects[..4], &[finished]].concat();
    assert_eq!(says(&of(client), &without), "no pod that can connect is default/c-1");
    assert_eq!(says(&of("tcp from host to 1.2.3.4:1"), &objects[2..]), "the inventory has no Node");
}

#[test]
fn each_part_of_an_answer_can_be_wrong() {
    let objects = objects();
    let flow = format!("tcp from default/c-1 {TO}");
    let redirect = expecting(&flow, State::Redirect);
    let backends = |patterns: &[&str]| -> Vec<BackendPattern> {
        patterns.iter().map(|pattern| pattern.parse().unwrap()).collect()
    };
    let goes = |patterns: &[&str]| Expectation { backends: backends(patterns), ..redirect.clone() };
    for patterns in
        [&["default/{app=x}:80"][..], &["default/a", "default/b"], &["10.0.2.1"], &["10.0.2.1:80"]]
    {
        assert_eq!(check(&goes(patterns), &objects), (1, vec![]), "{patterns:?}");
    }
    let wrong = |expectation: Expectation| check(&expectation, &objects).1.join("; ");
    assert_eq!(
        wrong(goes(&["default/a", "default/{app=x}:81"])),
        "n2 default/c-1: it may go to 10.0.2.1:80 (default/b), expected default/a or default/{app=x}:81"
    );
    assert_eq!(wrong(expecting(&flow, State::Drop)), "n2 default/c-1: redirect, expected drop");
    let policy = |name: &str| Expectation { policy: Some(name.into()), ..redirect.clone() };
    assert_eq!(wrong(policy("default/p")), "");
    assert_eq!(wrong(policy("default/q")), "n2 default/c-1: policy default/p decides, expected default/q");

    let elsewhere = expecting("tcp from host to 1.2.3.4:1", State::Original);
    let because = |reason| Expectation { reason: Some(reason), ..elsewhere.clone() };
    assert_eq!(check(&because(Reason::NoFrontend), &objects), (2, vec![]));
    assert!(
        wrong(because(Reason::OwnTraffic)).contains("original because of no-frontend, expected own-traffic")
    );
    let owned = Expectation { policy: Some("default/p".into()), ..elsewhere };
    assert!(wrong(owned).contains("no policy decides, expected default/p"));
}

/// A Service stands for each of its ClusterIPs.
#[test]
fn a_service_is_a_destination() {
    let objects = [objects(), vec![svc(&["169.254.169.254", "10.0.0.9"], &["80/TCP a"])]].concat();
    let expectation = Expectation {
        nodes: Nodes::Named(vec!["n1".into()]),
        ..expecting("tcp from host to default/s:80", State::Original)
    };
    let (connections, said) = check(&expectation, &objects);
    assert_eq!((connections, said), (2, vec![]));
    let headless = with(svc(&["10.0.0.9"], &["80/TCP a"]), "/spec/clusterIP", json!("None"));
    let headless = with(headless, "/spec/clusterIPs", json!(["None"]));
    let objects = [&objects[..5], &[headless]].concat();
    let (_, said) = check(&expectation, &objects);
    assert_eq!(said, ["Service default/s has no address to connect to: it is headless (`clusterIP: None`)"]);
}

#[test]
fn what_is_shown_is_what_is_read() {
    for text in [
        "tcp from host to 1.2.3.4:80",
        "udp from a/b-* to [fd00::1]:53",
        "tcp from a/* to b/c:1",
        "tcp from a/{app.kubernetes.io/name=x,tier=} to b/c:65535",
        "tcp from fd00::1 to 1.2.3.4:1",
    ] {
        let flow: FlowPattern = text.parse().unwrap();
        assert_eq!(flow.to_string(), text);
    }
    for text in ["a/b", "a/b-*:80", "a/{k=v}", "1.2.3.4", "1.2.3.4:80", "[fd00::1]:80"] {
        let backend: BackendPattern = text.parse().unwrap();
        assert_eq!(backend.to_string(), text);
    }
}

#[test]
fn mistakes_have_a_place() {
    let flow = |text: &str| text.parse::<FlowPattern>().unwrap_err().to_string();
    assert!(flow("tcp from a/{app} to 1.2.3.4:1").contains("at character 10, found `a/{app}`"));
    assert!(
        flow("tcp from host to 1.2.3.4").contains("expected `:` and a port at character 25, found the end")
    );
    let backend = |text: &str| text.parse::<BackendPattern>().unwrap_err().to_string();
    assert!(backend("a/b:x").contains("at character 4, found `:x`"));
    assert!(backend("app=kiam").contains("at character 1"));
}
