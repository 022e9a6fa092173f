//! What status, dump, verify, history and unload say, and what they promise to other programs.

use std::fs::File;
use std::process::Command;

use serde_json::{Value, json};

use crate::Test;
use crate::world::{GUIDE, NODE, World, guide_policy, lrpc, run};

pub(crate) const TESTS: &[Test] = &[
    ("nothing_is_loaded_at_first", nothing_is_loaded_at_first),
    ("status_reads_the_kernel", status_reads_the_kernel),
    ("an_equal_set_is_not_swapped", an_equal_set_is_not_swapped),
    ("a_linked_pod_that_is_gone_is_said", a_linked_pod_that_is_gone_is_said),
    ("a_dry_run_says_what_changes_for_connections", a_dry_run_says_what_changes_for_connections),
    ("expect_guards_an_apply", expect_guards_an_apply),
    ("verify_compares_with_an_image", verify_compares_with_an_image),
    ("unload_leaves_nothing", unload_leaves_nothing),
    ("what_cannot_be_printed_is_done", what_cannot_be_printed_is_done),
    ("the_environment_names_the_instance", the_environment_names_the_instance),
];

fn nothing_is_loaded_at_first() {
    let world = World::new();
    assert_eq!(world.lrpc(&["status", "--format", "json"]).ends(1).json(), json!({"active": false}));
    assert_eq!(world.lrpc(&["history", "--format", "json"]).ends(0).json(), json!([]));
    world.lrpc(&["unload"]).ends(0);
    world.lrpc(&["rollback"]).ends(2);
    world.lrpc(&["dump"]).ends(2);
    world.lrpc(&["verify"]).ends(1);
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn status_reads_the_kernel() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let image = world.image("guide", &guide_policy(80));
    let applied = world.apply(&image, &inventory, &[]).ends(0).json();
    let mut status = world.lrpc(&["status", "--format", "json"]).ends(0).json();
    let common = [
        "active",
        "generation",
        "image",
        "digest",
        "node",
        "mode",
        "coverage",
        "frontends",
        "backends",
        "left_out",
        "resident",
        "hooks",
        "applied_at",
        "audit",
    ];
    assert_eq!(keys(&status), common);
    let more = ["previous", "changed", "frontends_changed", "existing", "troubles", "diagnostics"];
    assert_eq!(keys(&applied), [&common[..], &more[..]].concat());
    for key in common {
        assert_eq!(status[key], applied[key], "{key}");
    }
    assert_eq!(applied["existing"], json!({"kept": 0, "closed": 0}));
    status
        .as_object_mut()
        .unwrap()
        .retain(|key, _| !["image", "digest", "applied_at"].contains(&key.as_str()));
    assert_eq!(
        status,
        json!({"active": true, "generation": 1, "node": NODE, "mode": "full", "coverage": "all", "frontends": 1,
            "backends": 1, "left_out": 0, "resident": [1], "audit": false, "hooks": ["connect4", "connect6", "getpeername4", "getpeername6", "recvmsg4",
            "recvmsg6", "sendmsg4", "sendmsg6"]})
    );

    let arguments = ["link", &image, "--inventory", &inventory, "--node", NODE, "--format", "json"];
    let linked = run(Command::new(lrpc()).args(arguments)).ends(0).json();
    let dump = world.lrpc(&["dump", "--format", "json"]).ends(0).json();
    assert_eq!(dump["frontends"], linked["frontends"], "the maps hold what was linked");
    assert_eq!(applied["digest"], linked["digest"]);
    assert_eq!(dump["tables"]["frontends"]["entries"], 1);

    // The kernel alone knows enough.
    std::fs::remove_dir_all(world.sandbox.state()).unwrap();
    assert_eq!(world.lrpc(&["status", "--format", "json"]).ends(0).json()["generation"], 1);
    assert_eq!(world.lrpc(&["verify", "--format", "json"]).ends(0).json()["ok"], true);
}

/// Equal resolved bytes are not swapped; the image that asked for them is recorded.
fn an_equal_set_is_not_swapped() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let first = world.apply(&world.image("one", &guide_policy(80)), &inventory, &[]).ends(0).json();
    assert_eq!((&first["changed"], &first["previous"]), (&true.into(), &Value::Null));
    let again = world.apply(&world.image("one", &guide_policy(80)), &inventory, &[]).ends(0).json();
    assert_eq!((&again["changed"], &again["generation"]), (&false.into(), &1.into()));
    let other = guide_policy(80).replace("name: metadata", "name: renamed");
    let renamed = world.apply(&world.image("two", &other), &inventory, &[]).ends(0).json();
    assert_eq!((&renamed["changed"], &renamed["generation"]), (&false.into(), &1.into()));
    assert_ne!(renamed["image"], first["image"]);
    assert_eq!(world.lrpc(&["status", "--format", "json"]).ends(0).json()["image"], renamed["image"]);
}

fn expect_guards_an_apply() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80, 81])]);
    let (old, new) = (world.image("old", &guide_policy(80)), world.image("new", &guide_policy(81)));
    let zero = format!("blake3:{}", "0".repeat(64));
    let refused = world.apply(&old, &inventory, &["--expect", &zero]).ends(1);
    assert!(refused.stderr.contains(&zero) && refused.stderr.contains("none"), "{}", refused.stderr);
    let digest = world.apply(&old, &inventory, &["--expect", "none"]).ends(0).json()["digest"].clone();
    let refused = world.apply(&new, &inventory, &["--expect", "none"]).ends(1);
    assert!(refused.stderr.contains(digest.as_str().unwrap()), "{}", refused.stderr);
    assert_eq!(world.lrpc(&["status", "--format", "json"]).ends(0).json()["generation"], 1);
    world.apply(&new, &inventory, &["--expect", digest.as_str().unwrap()]).ends(0);
}

fn verify_compares_with_an_image() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80, 81])]);
    let (old, new) = (world.image("old", &guide_policy(80)), world.image("new", &guide_policy(81)));
    world.apply(&old, &inventory, &[]).ends(0);
    world.lrpc(&["verify", &old, "--inventory", &inventory, "--node", NODE]).ends(0);
    let differs =
        world.lrpc(&["verify", &new, "--inventory", &inventory, "--node", NODE, "--format", "json"]);
    let differs = differs.ends(1).json();
    assert_eq!((&differs["ok"], &differs["generation"]), (&false.into(), &1.into()));
    assert_eq!(keys(&differs["differences"][0]), ["where", "name", "expected", "found"]);
    let row =
        differs["differences"].as_array().unwrap().iter().find(|one| one["name"] == format!("{GUIDE}/TCP"));
    let row = row.unwrap_or_else(|| panic!("{differs}"));
    assert!(
        row["expected"].as_str().unwrap().starts_with("redirect  10.244.1.10:81 (default/proxy)"),
        "{row}"
    );
    assert!(row["found"].as_str().unwrap().starts_with("redirect  10.244.1.10:80 (default/proxy)"), "{row}");
    let said = world.lrpc(&["verify", &new, "--inventory", &inventory, "--node", NODE]).ends(1).stdout;
    assert!(said.contains(GUIDE) && said.contains("lrpc apply"), "{said}");
}

fn unload_leaves_nothing() {
    let world = World::new();
    world.server("169.254.169.254", 8080, "original");
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    world.apply(&world.image("guide", &guide_policy(80)), &inventory, &[]).ends(0);
    let removed = world.lrpc(&["unload", "--format", "json"]).ends(0).json();
    assert_eq!(removed["removed"]["links"], 8);
    assert!(removed["removed"]["maps"].as_u64().unwrap() >= 7, "{removed}");
    assert_eq!(world.pins(), Vec::<String>::new());
    assert_eq!(world.pod().connect("tcp", GUIDE).unwrap().name, "original");
    assert_eq!(world.lrpc(&["history", "--format", "json"]).ends(0).json()[0]["action"], "unload");
    world.lrpc(&["status"]).ends(1);
}

/// A result that cannot be written is a warning once the node is changed (the exit code says what is true).
fn what_cannot_be_printed_is_done() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80, 81])]);
    let (old, new) = (world.image("old", &guide_policy(80)), world.image("new", &guide_policy(81)));
    let apply = |image: &str| ["apply", image, "--inventory", &inventory, "--node", NODE].map(str::to_owned);
    let commands =
        [apply(&old).to_vec(), apply(&new).to_vec(), vec!["rollback".into()], vec!["unload".into()]];
    for (command, generation) in commands.iter().zip([Some(1), Some(2), Some(1), None]) {
        for format in ["human", "json"] {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let mut lrpc = Command::new(lrpc());
            lrpc.args(command).args(["--format", format]).args(world.sandbox.options());
            let output = lrpc.stdout(full).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(0), "{command:?}: {said}");
            assert!(said.contains("the result could not be printed"), "{command:?}: {said}");
            let status = world.lrpc(&["status", "--format", "json"]).json();
            assert_eq!(status["generation"].as_u64(), generation, "{command:?}");
            if command[0] == "rollback" {
                break;
            }
        }
    }
}

/// The directories by environment are the directories.
fn the_environment_names_the_instance() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let image = world.image("one", &guide_policy(80));
    world.apply(&image, &inventory, &[]).ends(0);
    let options = world.sandbox.options();
    let mut status = Command::new(lrpc());
    status.args(["status", "--format", "json"]);
    for pair in options.chunks(2) {
        let name = pair[0].trim_start_matches('-').to_uppercase();
        status.env(format!("LRPC_{name}"), &pair[1]);
    }
    assert_eq!(options.len(), 6);
    assert_eq!(run(&mut status).ends(0).json()["generation"], 1);
}

/// A pod that was replaced leaves its cgroup, and what is loaded still sends connections to it.
fn a_linked_pod_that_is_gone_is_said() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let image = world.image("guide", &guide_policy(80));
    world.apply(&image, &inventory, &[]).ends(0);
    let status = || world.lrpc(&["status", "--format", "json"]).ends(0).json();
    // Without a kubelet's tree below the cgroup nothing can be said of pods.
    assert_eq!(status()["gone_pods"], Value::Null);
    let pod = world.sandbox.cgroup().join("kubepods/burstable/poduid-proxy");
    std::fs::create_dir_all(&pod).unwrap();
    assert_eq!(status()["gone_pods"], Value::Null);
    std::fs::remove_dir(&pod).unwrap();
    assert_eq!(status()["gone_pods"], json!(["default/proxy"]));
    for command in ["status", "verify"] {
        let said = world.lrpc(&[command]).ends(0).stdout;
        assert!(said.contains("gone        default/proxy"), "{said}");
    }
    let doctor = world.lrpc(&["doctor"]).stdout;
    assert!(doctor.contains("gone from this node: default/proxy"), "{doctor}");
}

/// What a dry run says is what the apply after it says, and what `diff live` says.
fn a_dry_run_says_what_changes_for_connections() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80, 81])]);
    let (old, new) = (world.image("old", &guide_policy(80)), world.image("new", &guide_policy(81)));
    let first = world.apply(&old, &inventory, &[]).ends(0).json();
    assert_eq!(first["frontends_changed"], json!({"added": 1, "removed": 0, "changed": 0}));
    let dry = world.apply(&new, &inventory, &["--dry-run"]).ends(0).json();
    let node = json!([NODE, "169.254.169.254:8080/TCP", "changed"]);
    let shown =
        |row: &Value| json!([row["node"], row["frontends"][0]["frontend"], row["frontends"][0]["change"]]);
    assert_eq!(shown(&dry["nodes"][0]), node);
    let live = world
        .lrpc(&["diff", "live", &new, "--inventory", &inventory, "--node", NODE, "--format", "json"])
        .ends(1)
        .json();
    assert_eq!(live["nodes"], dry["nodes"]);
    let arguments = ["apply", &new, "--inventory", &inventory, "--node", NODE, "--dry-run"];
    let human = world.lrpc(&arguments).ends(0).stdout;
    assert!(human.contains("169.254.169.254:8080") && !human.contains("flip the cell"), "{human}");
    assert!(human.contains("\nfrontends: 0 added, 0 removed, 1 changed; "), "{human}");
    let verbose = world.lrpc(&[&arguments[..], &["--verbose"]].concat()).ends(0).stdout;
    assert!(verbose.contains("flip the cell"), "{verbose}");
    let arguments = ["apply", &new, "--inventory", &inventory, "--node", NODE];
    let applied = world.lrpc(&arguments).ends(0).stdout;
    assert!(applied.trim_end().ends_with("0 frontends added, 0 removed, 1 changed"), "{applied}");
    // Without a right that an apply needs, a dry run is no promise.
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-net_admin", "--inh-caps=-all", lrpc()]).args(arguments).arg("--dry-run");
    let refused = run(command.args(world.sandbox.options())).ends(2).stderr;
    assert!(refused.contains("CAP_NET_ADMIN is missing"), "{refused}");
}
