//! System calls of the real binary that fail, by strace: a sample of what the loader's unit tests do at every
//! call. The exit code, the JSON and what a connect meets agree each time.

use std::process::Command;

use crate::Test;
use crate::world::{GUIDE, NODE, Run, World, guide_policy, lrpc, run};

pub(crate) const TESTS: &[Test] = &[
    ("an_apply_whose_calls_fail_says_what_is_true", an_apply_whose_calls_fail_says_what_is_true),
    ("a_rollback_whose_calls_fail_says_what_is_true", a_rollback_whose_calls_fail_says_what_is_true),
];

/// Which calls fail, how, and that each of how many is tried, up to the last.
type Calls = (&'static str, &'static str, usize);

/// The calls of an apply.
const APPLY: [Calls; 7] = [
    ("bpf", "ENOMEM", 5),
    ("bpf", "EMFILE", 17),
    ("renameat2,renameat", "EIO", 1),
    ("mkdirat", "ENOSPC", 2),
    ("flock", "EACCES", 1),
    ("fsync,fdatasync", "EROFS", 1),
    ("clone3,clone", "EAGAIN", 1),
];

/// Those of a rollback, which writes a line of the history and no other file, and starts no thread.
const ROLLBACK: [Calls; 4] =
    [("bpf", "ENOMEM", 3), ("mkdirat", "ENOSPC", 1), ("flock", "EACCES", 1), ("fsync,fdatasync", "EROFS", 1)];

/// Runs a command of which one call fails; also tells whether there was such a call.
fn injected(
    world: &World,
    arguments: &[&str],
    (calls, error, _): (&str, &str, usize),
    at: usize,
) -> (Run, bool) {
    let log = world.sandbox.folder().join("strace.log");
    let mut command = Command::new("strace");
    command.args(["-f", "-q", "-o"]).arg(&log);
    command.arg(format!("--trace={calls}")).arg(format!("--inject={calls}:error={error}:when={at}"));
    command.arg(lrpc()).args(arguments).args(world.sandbox.options());
    let run = run(&mut command);
    let log = std::fs::read_to_string(log).unwrap();
    (run, log.contains("(INJECTED)"))
}

/// Holds what a run said against what is served; `old` and `new` are what is served before and after.
#[track_caller]
fn agrees(world: &World, run: &Run, [old, new]: [&str; 2], context: &str) {
    let reached = world.pod().connect("tcp", GUIDE).unwrap().name;
    match run.code {
        Some(0) => {
            assert_eq!(run.json()["active"], true, "{context}");
            assert_eq!(reached, new, "{context}: {}", run.stdout);
        }
        Some(2) => assert_eq!(reached, old, "{context}: {}", run.stderr),
        other => panic!("{context}: {other:?}, {}", run.stderr),
    }
    let status = world.lrpc(&["status", "--format", "json"]).ends(0).json();
    assert_eq!(status["active"], true, "{context}");
}

fn sample(calls: &[Calls], work: impl Fn(Calls, usize) -> bool) {
    for &call in calls {
        let mut tried = 0;
        for at in (1..400).step_by(call.2) {
            if !work(call, at) {
                break;
            }
            tried += 1;
        }
        assert!(tried > 0, "no call of {} was met", call.0);
    }
}

fn scene() -> (World, String, [String; 2]) {
    let world = World::new();
    world.server("10.244.1.10", 80, "old");
    world.server("10.244.1.10", 81, "new");
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80, 81])]);
    let images = [world.image("old", &guide_policy(80)), world.image("new", &guide_policy(81))];
    world.apply(&images[1], &inventory, &[]).ends(0);
    world.apply(&images[0], &inventory, &[]).ends(0);
    (world, inventory, images)
}

fn an_apply_whose_calls_fail_says_what_is_true() {
    let (world, inventory, images) = scene();
    sample(&APPLY, |call, at| {
        let arguments = ["apply", &images[1], "--inventory", &inventory, "--node", NODE, "--format", "json"];
        let (run, is_met) = injected(&world, &arguments, call, at);
        agrees(&world, &run, ["old", "new"], &format!("apply, {} {} at {at}", call.0, call.1));
        world.apply(&images[0], &inventory, &[]).ends(0);
        is_met
    });
}

fn a_rollback_whose_calls_fail_says_what_is_true() {
    let (world, inventory, images) = scene();
    sample(&ROLLBACK, |call, at| {
        let (run, is_met) = injected(&world, &["rollback", "--format", "json"], call, at);
        agrees(&world, &run, ["old", "new"], &format!("rollback, {} {} at {at}", call.0, call.1));
        world.apply(&images[1], &inventory, &[]).ends(0);
        world.apply(&images[0], &inventory, &[]).ends(0);
        is_met
    });
}
