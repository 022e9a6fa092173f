//! `diff live`: what this node does, against what it would do.

use serde_json::{Value, json};

use crate::Test;
use crate::world::{NODE, Run, World, guide_policy};

pub(crate) const TESTS: &[Test] = &[
    ("diff_reads_what_is_live", diff_reads_what_is_live),
    ("diff_knows_what_only_the_kernel_knows", diff_knows_what_only_the_kernel_knows),
    ("diff_takes_an_empty_node_for_what_it_is", diff_takes_an_empty_node_for_what_it_is),
];

fn diff(world: &World, sides: [&str; 2], inventory: &str) -> Run {
    let [old, new] = sides;
    world.lrpc(&["diff", old, new, "--inventory", inventory, "--node", NODE, "--format", "json"])
}

fn diff_reads_what_is_live() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80, 81])]);
    let (old, new) = (world.image("old", &guide_policy(80)), world.image("new", &guide_policy(81)));
    world.apply(&old, &inventory, &[]).ends(0);
    assert_eq!(diff(&world, ["live", &old], &inventory).ends(0).json()["same"], true);
    assert_eq!(diff(&world, ["live", "live"], &inventory).ends(0).json()["same"], true);

    let found = diff(&world, ["live", &new], &inventory).ends(1).json();
    assert_eq!(found["policies"]["changed"], json!(["default/metadata"]));
    assert_eq!(found["frontends"][0]["breaking"], json!(["port-changed"]));
    let row = &found["nodes"][0]["frontends"][0];
    assert_eq!(
        (&row["old"]["backends"][0]["port"], &row["new"]["backends"][0]["port"]),
        (&80.into(), &81.into())
    );

    // The pod has moved since: the policies are the same, the node would not be.
    let moved = world.inventory(&[("proxy", "10.244.1.11", &[80, 81])]);
    let found = diff(&world, ["live", &old], &moved).ends(1).json();
    assert_eq!(found["policies"], json!({"added": [], "removed": [], "changed": []}));
    assert_eq!(found["nodes"][0]["frontends"][0]["new"]["backends"][0]["address"], "10.244.1.11");
    let gone = world.inventory(&[]);
    let found = diff(&world, ["live", &old], &gone).ends(1).json();
    assert_eq!(found["nodes"][0]["without_backend"], json!(["169.254.169.254:8080/TCP"]));
    assert_eq!(found["breaking"], true);
}

/// Without the state directory names and policies are unknown, and unknown is no difference.
fn diff_knows_what_only_the_kernel_knows() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80, 81])]);
    let (old, new) = (world.image("old", &guide_policy(80)), world.image("new", &guide_policy(81)));
    world.apply(&old, &inventory, &[]).ends(0);
    std::fs::remove_dir_all(world.sandbox.state()).unwrap();
    let same = diff(&world, ["live", &old], &inventory).ends(0).json();
    assert_eq!((&same["same"], &same["policies"]), (&true.into(), &Value::Null));
    let found = diff(&world, ["live", &new], &inventory).ends(1).json();
    assert_eq!(found["nodes"][0]["frontends"][0]["breaking"], json!(["port-changed"]));
}

fn diff_takes_an_empty_node_for_what_it_is() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let image = world.image("guide", &guide_policy(80));
    let found = diff(&world, ["live", &image], &inventory).ends(1).json();
    assert_eq!(found["policies"]["added"], json!(["default/metadata"]));
    assert_eq!(found["nodes"][0]["frontends"][0]["change"], "added");
    world.apply(&image, &inventory, &[]).ends(0);
    let other =
        world.lrpc(&["diff", "live", &image, "--inventory", &inventory, "--node", "worker-9"]).ends(2);
    assert!(other.stderr.contains("worker-1"), "{}", other.stderr);
}
