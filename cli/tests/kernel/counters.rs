//! What is counted, by frontend and by policy.

use std::fs;

use serde_json::{Value, json};
use testkit::{Client, Place};

use crate::Test;
use crate::world::{GUIDE, World, address_policy, guide_policy};

pub(crate) const TESTS: &[Test] = &[
    ("every_fate_is_counted", every_fate_is_counted),
    ("an_audit_counts_what_it_would_do", an_audit_counts_what_it_would_do),
];

const CLOSED: &str = "169.254.1.1:80";

/// Connects of host processes and of pods: the agent's own, and others'.
fn every_fate_is_counted() {
    let world = World::new();
    world.server("10.244.1.10", 80, "backend");
    world.server("169.254.169.254", 8080, "original");
    let tree = world.sandbox.cgroup().join("kubepods/burstable");
    for pod in ["poduid-proxy", "poduid-web"] {
        fs::create_dir_all(tree.join(pod)).unwrap();
    }
    let own = guide_policy(80)
        .replace("annotations: {}", "annotations: {lrpc.dev/clients: all-pods}")
        .replace("  redirectBackend:", "  skipRedirectFromBackend: true\n  redirectBackend:");
    let closed = address_policy("closed", ("169.254.1.1", 80, "TCP"), 1, "lrpc.dev/fallback: drop");
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let image = world.image("both", &format!("{own}---\n{closed}"));
    world.apply(&image, &inventory, &[]).ends(0);
    let json = |command: &str| world.lrpc(&[command, "--counters", "--format", "json"]).ends(0).json();

    let none = json!({"redirected": 0, "dropped": 0, "own": 0, "no_client": 0});
    let row = |address: &str, port: u16, policy: &str, counts: &Value| {
        let mut row = json!({"address": address, "port": port, "protocol": "TCP", "policy": policy});
        row.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
        row
    };
    let rows = |closed: &Value, own: &Value| {
        json!([
            row("169.254.1.1", 80, "default/closed", closed),
            row("169.254.169.254", 8080, "default/metadata", own)
        ])
    };
    assert_eq!(json("dump")["counters"], rows(&none, &none), "what nobody connected to is there, too");
    let human = world.lrpc(&["dump", "--counters"]).ends(0).stdout;
    assert!(human.ends_with("\nnothing was counted yet\n"), "{human}");

    let at = |pod: &str| Client::start(Place::Cgroup(&tree.join(pod))).unwrap();
    let (mut web, mut proxy, mut host) = (at("poduid-web"), at("poduid-proxy"), world.pod());
    for _ in 0..3 {
        assert_eq!(web.connect("tcp", GUIDE).unwrap().name, "backend");
    }
    for _ in 0..2 {
        assert_eq!(proxy.connect("tcp", GUIDE).unwrap().name, "original");
    }
    assert_eq!(host.connect("tcp", GUIDE).unwrap().name, "original");
    // Another cgroup's connects are none of this, and a frontend is a port and a protocol, too.
    world.outsider().connect("tcp", GUIDE).unwrap();
    for _ in 0..4 {
        host.connect("tcp", CLOSED).unwrap_err();
    }
    host.connect("tcp", "169.254.1.1:81").unwrap_err();

    let closed = json!({"redirected": 0, "dropped": 4, "own": 0, "no_client": 0});
    let own = json!({"redirected": 3, "dropped": 0, "own": 2, "no_client": 1});
    assert_eq!(json("dump")["counters"], rows(&closed, &own));
    let of = |policy: &str, counts: &Value| {
        let mut tally = json!({"policy": policy});
        tally.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
        tally
    };
    let policies = json!([of("default/closed", &closed), of("default/metadata", &own)]);
    assert_eq!(json("status")["counters"], policies);
    for command in ["dump", "status"] {
        let plain = world.lrpc(&[command, "--format", "json"]).ends(0).json();
        assert!(plain.get("counters").is_none(), "only where it is asked for: {plain}");
    }
    let words = |text: &str, first: &str| -> Vec<String> {
        let line = text.lines().rfind(|line| line.starts_with(first)).unwrap_or_else(|| panic!("{text}"));
        line.split_whitespace().map(str::to_owned).collect()
    };
    let human = world.lrpc(&["dump", "--counters"]).ends(0).stdout;
    let line = words(&human, "169.254.169.254:8080/TCP");
    assert_eq!(line, ["169.254.169.254:8080/TCP", "3", "0", "2", "1", "default/metadata"], "{human}");
    let human = world.lrpc(&["status", "--counters"]).ends(0).stdout;
    assert_eq!(words(&human, "default/closed"), ["default/closed", "0", "4", "0", "0"], "{human}");

    // The kernel alone still counts; only names are lost.
    fs::remove_dir_all(world.sandbox.state()).unwrap();
    let all = json!([{"policy": null, "redirected": 3, "dropped": 4, "own": 2, "no_client": 1}]);
    assert_eq!(json("status")["counters"], all);
}

fn an_audit_counts_what_it_would_do() {
    let world = World::new();
    world.server("169.254.169.254", 8080, "original");
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    world.apply(&world.image("guide", &guide_policy(80)), &inventory, &["--audit"]).ends(0);
    assert_eq!(world.pod().connect("tcp", GUIDE).unwrap().name, "original");
    let status = world.lrpc(&["status", "--counters", "--format", "json"]).ends(0).json();
    assert_eq!((&status["audit"], &status["counters"][0]["redirected"]), (&true.into(), &1.into()));
}
