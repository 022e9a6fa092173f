//! `lrpc doctor` of a node on which something is loaded.

use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::Test;
use crate::world::{World, guide_policy, lrpc, run};

pub(crate) const TESTS: &[Test] = &[
    ("doctor_asks_from_a_cgroup_for_a_moment", doctor_asks_from_a_cgroup_for_a_moment),
    ("doctor_that_cannot_ask_says_so", doctor_that_cannot_ask_says_so),
];

/// Verdict and words of a line.
#[track_caller]
fn line(checks: &Value, name: &str) -> (String, String) {
    let check = checks.as_array().unwrap().iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no line `{name}`: {checks}"));
    (check["verdict"].as_str().unwrap().to_owned(), check["found"].as_str().unwrap().to_owned())
}

fn loaded() -> World {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    world.apply(&world.image("guide", &guide_policy(80)), &inventory, &[]).ends(0);
    world
}

/// As root, and with the two capabilities that an apply needs.
fn doctor_asks_from_a_cgroup_for_a_moment() {
    let world = loaded();
    let arguments =
        [&["doctor".to_owned(), "--format".to_owned(), "json".to_owned()], &world.sandbox.options()[..]];
    let arguments = arguments.concat();
    let mut bare = Command::new(lrpc());
    let mut two = Command::new("setpriv");
    two.args(["--bounding-set", "-all,+bpf,+net_admin", lrpc()]);
    for command in [&mut bare, &mut two] {
        let said = run(command.args(&arguments)).ends(0).json();
        let (verdict, found) = line(&said, "answers");
        assert!(verdict == "ok" && found.ends_with("IPv4 and IPv6"), "{found}");
        assert_eq!(line(&said, "effective").0, "ok");
        assert_eq!(line(&said, "hooks"), ("ok".to_owned(), "no other program".to_owned()));
    }
    let left = std::fs::read_dir(world.sandbox.cgroup()).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.path().is_dir()).count(), 0, "its cgroup has gone");
    // Nobody is asked where nobody says that it is time.
    assert_eq!(run(Command::new(lrpc()).args(["doctor", "--ask"])).ends(0).stdout, "");
    std::fs::remove_file(world.sandbox.bpffs().join("links/getpeername4")).unwrap();
    // The kernel takes the program off some time after the last pin has gone.
    let fails = (0..50).find_map(|_| {
        let run = world.lrpc(&["doctor"]);
        let fails = (run.code == Some(1)).then_some(run.stdout);
        if fails.is_none() {
            thread::sleep(Duration::from_millis(100));
        }
        fails
    });
    let said = fails.expect("doctor fails");
    assert!(said.contains("FAIL  effective") && said.contains("FAIL  answers"), "{said}");
    assert!(said.contains("getpeername says 127.0.0.1:9") && !said.contains("IPv6:"), "{said}");
}

/// A cgroup tree that is mounted read-only, as containers have it: it is not checked, and that is not fine.
fn doctor_that_cannot_ask_says_so() {
    let world = loaded();
    let mut command = Command::new("unshare");
    let script = r#"mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@""#;
    command.args(["--mount", "sh", "-c", script]).arg(world.sandbox.cgroup().parent().unwrap());
    command.args([lrpc(), "doctor", "--format", "json"]).args(world.sandbox.options());
    let said = run(&mut command).ends(0).json();
    let (verdict, found) = line(&said, "answers");
    assert!(verdict == "warn" && found.starts_with("not checked: making cgroup"), "{found}");
    assert_eq!(line(&said, "effective").0, "ok", "what can be checked is");
}
