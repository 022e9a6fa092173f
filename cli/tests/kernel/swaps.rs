//! One set, then another: what a connection can see in between.

use std::collections::BTreeSet;

use crate::Test;
use crate::world::{GUIDE, NODE, World, guide_policy, lrpc, run};

pub(crate) const TESTS: &[Test] = &[
    ("fifty_swaps_fail_no_connect", fifty_swaps_fail_no_connect),
    ("getpeername_says_the_frontend_across_swaps", getpeername_says_the_frontend_across_swaps),
    ("rollback_is_one_flip", rollback_is_one_flip),
    ("two_capabilities_suffice", two_capabilities_suffice),
];

/// A world with two pods' ports and an image for each.
fn two_images() -> (World, String, [String; 2]) {
    let world = World::new();
    world.server("10.244.1.10", 80, "old");
    world.server("10.244.1.10", 81, "new");
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80, 81])]);
    let images = [world.image("old", &guide_policy(80)), world.image("new", &guide_policy(81))];
    (world, inventory, images)
}

/// A loop of connects across 60 swaps: none fails, and every answer is the old backend's or the new one's.
fn fifty_swaps_fail_no_connect() {
    let (world, inventory, images) = two_images();
    world.apply(&images[0], &inventory, &[]).ends(0);
    let mut pod = world.pod();
    pod.storm("tcp", GUIDE).unwrap();
    for swap in 1..=60 {
        let applied = world.apply(&images[swap % 2], &inventory, &[]).ends(0).json();
        assert_eq!(applied["changed"], true);
        assert_eq!(applied["generation"], swap + 1);
    }
    let storm = pod.calm().unwrap();
    assert_eq!(storm.failures, Default::default());
    let answered: BTreeSet<&str> = storm.answers.keys().map(String::as_str).collect();
    assert_eq!(answered, BTreeSet::from(["old", "new"]));
    assert!(storm.answers.values().sum::<u64>() > 1000, "the storm was a breeze: {storm:?}");
}

/// L11: the reverse translation of a socket survives every swap, a rollback, and the end of its backend's
/// row.
fn getpeername_says_the_frontend_across_swaps() {
    let (world, inventory, images) = two_images();
    world.apply(&images[0], &inventory, &[]).ends(0);
    let mut pod = world.pod();
    assert_eq!(pod.connect("tcp", GUIDE).unwrap().peer, GUIDE);
    for swap in 1..=5 {
        world.apply(&images[swap % 2], &inventory, &[]).ends(0);
        assert_eq!(pod.peer().unwrap(), GUIDE);
    }
    world.lrpc(&["rollback"]).ends(0);
    assert_eq!(pod.peer().unwrap(), GUIDE);
    world.apply(&images[0], &world.inventory(&[]), &[]).ends(0);
    assert_eq!(pod.peer().unwrap(), GUIDE);
}

fn rollback_is_one_flip() {
    let (world, inventory, images) = two_images();
    world.apply(&images[0], &inventory, &[]).ends(0);
    world.apply(&images[1], &inventory, &[]).ends(0);
    let mut pod = world.pod();
    assert_eq!(pod.connect("tcp", GUIDE).unwrap().name, "new");
    let back = world.lrpc(&["rollback", "--format", "json"]).ends(0).json();
    assert_eq!((&back["generation"], &back["previous"]), (&1.into(), &2.into()));
    assert_eq!(back["resident"], serde_json::json!([1, 2]));
    assert_eq!(pod.connect("tcp", GUIDE).unwrap().name, "old");
    world.lrpc(&["rollback", "--to", "2"]).ends(0);
    assert_eq!(pod.connect("tcp", GUIDE).unwrap().name, "new");
    world.lrpc(&["rollback", "--to", "99"]).ends(2);
    let actions: Vec<String> = world
        .lrpc(&["history", "--format", "json"])
        .ends(0)
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["action"].as_str().unwrap(), entry["generation"]))
        .collect();
    assert_eq!(actions, ["rollback 2", "rollback 1", "apply 2", "apply 1"]);
}

/// CAP_BPF and CAP_NET_ADMIN, and no other capability, from load to flip and over a second swap.
fn two_capabilities_suffice() {
    let (world, inventory, images) = two_images();
    for image in &images {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--bounding-set", "-all,+bpf,+net_admin", "--no-new-privs", lrpc(), "apply", image]);
        command.args(["--inventory", &inventory, "--node", NODE]).args(world.sandbox.options());
        run(&mut command).ends(0);
    }
    assert_eq!(world.pod().connect("tcp", GUIDE).unwrap().name, "new");
    let mut command = std::process::Command::new("setpriv");
    command.args(["--bounding-set", "-all,+net_admin", "--no-new-privs", lrpc(), "apply", &images[0]]);
    command.args(["--inventory", &inventory, "--node", NODE]).args(world.sandbox.options());
    let refused = run(&mut command).ends(2);
    assert!(refused.stderr.contains("CAP_BPF"), "{}", refused.stderr);
}
