//! `lrpc monitor`: what it tells, and how it ends. That nothing is told once it has ended is `loader/tests/kernel`'s.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Client, Place};

use crate::Test;
use crate::world::{GUIDE, World, address_policy, guide_policy, lrpc, run};

pub(crate) const TESTS: &[Test] = &[
    ("each_decision_is_told_once", each_decision_is_told_once),
    ("a_signal_ends_a_monitor", a_signal_ends_a_monitor),
    ("a_reader_that_has_seen_enough_ends_a_monitor", a_reader_that_has_seen_enough_ends_a_monitor),
    ("there_is_one_monitor_at_a_time", there_is_one_monitor_at_a_time),
    ("two_capabilities_suffice_to_look", two_capabilities_suffice_to_look),
];

/// A running monitor; ended when it is dropped.
struct Running {
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    /// Starts one and waits until it watches.
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut command = Command::new(lrpc());
        command.arg("monitor").args(arguments).args(world.sandbox.options());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "decisions are told from here on\n");
        let lines = BufReader::new(process.stdout.take().unwrap());
        Self { process, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    #[track_caller]
    fn json(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }

    /// Waits for the end, which is one with this code, and gives what was not read.
    #[track_caller]
    fn ends(mut self, code: i32) -> String {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(code), "{rest}");
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only the process that was started here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The guide's policy and one that drops, and the pod that serves the former.
fn world() -> World {
    let world = World::new();
    world.server("10.244.1.10", 80, "backend");
    fs::create_dir_all(pod(&world)).unwrap();
    let closed = address_policy("closed", ("169.254.1.1", 80, "TCP"), 1, "lrpc.dev/fallback: drop");
    let image = world.image("both", &format!("{}---\n{closed}", guide_policy(80)));
    world.apply(&image, &world.inventory(&[("proxy", "10.244.1.10", &[80])]), &[]).ends(0);
    world
}

fn pod(world: &World) -> std::path::PathBuf {
    world.sandbox.cgroup().join("kubepods/poduid-proxy/container")
}

fn each_decision_is_told_once() {
    let world = world();
    let (mut host, mut pod_client) = (world.pod(), Client::start(Place::Cgroup(&pod(&world))).unwrap());
    let mut monitor = Running::start(&world, &["--format", "json", "--count", "2"]);
    pod_client.connect("tcp", GUIDE).unwrap();
    host.connect("tcp", "169.254.169.254:81").unwrap_err();
    host.connect("tcp", "169.254.1.1:80").unwrap_err();
    let mut redirected = monitor.json();
    let time = redirected["time"].take();
    assert!(time.as_str().is_some_and(|time| time.starts_with("20") && time.ends_with('Z')), "{time}");
    assert_eq!(
        redirected,
        json!({"time": null, "decision": "redirected", "audit": false, "frontend": "169.254.169.254:8080/TCP",
            "policy": "default/metadata", "backend": "10.244.1.10:80", "process": pod_client.process(),
            "cgroup": pod(&world).display().to_string(), "pod_uid": "uid-proxy", "pod": "default/proxy", "lost": 0})
    );
    let dropped = monitor.json();
    assert_eq!((&dropped["decision"], &dropped["backend"]), (&"dropped".into(), &Value::Null));
    assert_eq!((&dropped["policy"], &dropped["pod"]), (&"default/closed".into(), &Value::Null));
    assert_eq!(dropped["process"], host.process());
    assert_eq!(monitor.json(), json!({"end": "count", "decisions": 2, "lost": 0}));
    assert_eq!(monitor.ends(0), "");

    let mut monitor = Running::start(&world, &["--count", "1"]);
    // What it asks of the programs is no decision of a policy's.
    world.lrpc(&["doctor"]);
    pod_client.connect("tcp", GUIDE).unwrap();
    let line = monitor.line();
    let expected = "  redirected  169.254.169.254:8080/TCP -> 10.244.1.10:80  policy default/metadata  pod default/proxy";
    assert!(line.contains(expected), "{line}");
    assert_eq!(monitor.ends(0), "");
}

fn a_signal_ends_a_monitor() {
    let world = world();
    for signal in ["-INT", "-TERM", "-HUP"] {
        let monitor = Running::start(&world, &["--format", "json"]);
        monitor.signal(signal);
        let end: Value = serde_json::from_str(&monitor.ends(0)).unwrap();
        assert_eq!(end, json!({"end": "signal", "decisions": 0, "lost": 0}), "{signal}");
    }
    let monitor = Running::start(&world, &["--format", "json", "--duration", "50ms"]);
    assert!(monitor.ends(0).contains("\"duration\""));
    let monitor = Running::start(&world, &["--format", "json"]);
    world.lrpc(&["unload"]).ends(0);
    assert!(monitor.ends(0).contains("\"unloaded\""));
    let refused = world.lrpc(&["monitor", "--duration", "50ms"]).ends(2);
    assert!(refused.stderr.contains("nothing is loaded"), "{}", refused.stderr);
}

fn a_reader_that_has_seen_enough_ends_a_monitor() {
    let world = world();
    let mut monitor = Running::start(&world, &[]);
    let mut host = world.pod();
    host.connect("tcp", GUIDE).unwrap();
    monitor.line();
    let Running { process, lines } = &mut monitor;
    // In the place of the pipe, so that it is closed.
    let nothing = OwnedFd::from(File::open("/dev/null").unwrap());
    *lines = BufReader::new(ChildStdout::from(nothing));
    // Another test's process may hold the pipe for a moment, between its fork and its exec.
    for _ in 0..200 {
        host.connect("tcp", GUIDE).unwrap();
        if process.try_wait().unwrap().is_some() {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    assert_eq!(process.try_wait().unwrap().and_then(|status| status.code()), Some(0), "it goes on");
}

fn there_is_one_monitor_at_a_time() {
    let world = world();
    let first = Running::start(&world, &["--format", "json"]);
    let second = world.lrpc(&["monitor", "--duration", "1s"]).ends(2);
    let holder = format!("another monitor is at work: process {}", first.process.id());
    assert!(second.stderr.contains(&holder) && second.stderr.contains("help: "), "{}", second.stderr);
    // Loaders and readers do not wait for it.
    world.lrpc(&["status"]).ends(0);
    world.lrpc(&["verify"]).ends(0);
    // One that was killed is in nobody's way.
    first.signal("-KILL");
    drop(first);
    let mut monitor = Running::start(&world, &["--format", "json", "--count", "1"]);
    world.pod().connect("tcp", GUIDE).unwrap();
    assert_eq!(monitor.json()["decision"], "redirected");
    assert!(monitor.ends(0).contains("\"count\""));
}

fn two_capabilities_suffice_to_look() {
    let world = world();
    world.pod().connect("tcp", GUIDE).unwrap();
    let look = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", "-all,+bpf,+net_admin", "--no-new-privs", lrpc()]).args(arguments);
        run(command.args(["--format", "json"]).args(world.sandbox.options())).ends(0).stdout
    };
    for command in ["dump", "status"] {
        let counters: Value = serde_json::from_str(&look(&[command, "--counters"])).unwrap();
        assert_eq!(counters["counters"][1]["redirected"], 1, "{counters}");
    }
    let end: Value = serde_json::from_str(&look(&["monitor", "--duration", "50ms"])).unwrap();
    assert_eq!(end["end"], "duration");
}
