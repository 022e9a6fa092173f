//! Names that are meant as commands to a terminal: whatever the command and the format, none arrives.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use lrpc_schema::image::Image;

/// Colours text, sets the title, clears the line, turns the direction, has no width.
const EVIL: &str = "e\u{1b}[5m\u{1b}]0;t\u{7}\u{9b}2K\u{202e}\u{200b}\u{feff}\u{e0041}";

const POLICIES: &str = include_str!("../../policies/address-redirect/policy.yaml");

/// An inventory in which every name and every text that is free is hostile.
fn inventory() -> String {
    let name = |name: &str| serde_json::json!(format!("{name}{EVIL}"));
    let ready = serde_json::json!([{ "type": "Ready", "status": "True" }]);
    let container =
        serde_json::json!({ "ports": [{ "containerPort": 80, "protocol": "TCP", "name": EVIL }] });
    let pod = |pod: &str, address: &str| {
        serde_json::json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": name(pod), "namespace": "default", "uid": name("u"), "labels": { "app": "proxy" } },
            "spec": { "nodeName": "n1", "containers": [container] },
            "status": { "phase": "Running", "podIPs": [{ "ip": address }], "conditions": ready },
        })
    };
    let node =
        |node: &str| serde_json::json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": node } });
    let service = serde_json::json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name("s"), "namespace": "default" },
        "spec": {
            "clusterIPs": ["10.96.0.9"],
            "ports": [{ "port": 8080, "protocol": "TCP", "name": EVIL }],
        },
    });
    let broken = pod("c", &format!("10.0.0.{EVIL}"));
    let items =
        [node("n1"), node(&format!("n2{EVIL}")), pod("a", "10.0.0.1"), pod("a", "10.0.0.2"), service, broken];
    serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

/// What the command says on both streams.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrpc"));
    command.args(arguments).current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin");
    let output = command.output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// What another program shows of a comparison.
fn said_by_diff(folder: &Path, old: &str, new: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrpc"));
    command.args(["diff", old, new, "--inventory", "inventory.json"]).current_dir(folder).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("LRPC_EXTERNAL_DIFF", "diff -ruN");
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn no_name_commands_a_terminal() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let file = format!("{EVIL}.yaml");
    fs::write(folder.join(&file), POLICIES).unwrap();
    fs::create_dir(folder.join("wrong")).unwrap();
    let wrong = POLICIES.replace("\"8080\"", "\"0\"").replace("namespace: default", &format!("x: {EVIL:?}"));
    fs::write(folder.join("wrong").join(&file), wrong.replace("app: proxy", &format!("app: {EVIL}")))
        .unwrap();
    fs::write(folder.join("inventory.json"), inventory()).unwrap();
    said(folder, &["compile", &file, "-o", "image.lrpc"]);
    // What no compiler writes, whether it is refused or shown.
    let image = Image::decode(fs::read(folder.join("image.lrpc")).unwrap()).unwrap();
    let mut policy = image.policies()[0].clone();
    policy.name.name = EVIL.into();
    fs::write(folder.join("named.lrpc"), Image::seal(vec![policy], None, None).bytes()).unwrap();
    fs::write(folder.join("empty.yaml"), "a: b\n").unwrap();
    said(folder, &["compile", "empty.yaml", "--allow-empty", "-o", "empty.lrpc"]);

    let evil_node = format!("n2{EVIL}");
    let flow = format!("tcp from default/a{EVIL} to 169.254.169.254:8080");
    let host = "tcp from host to 169.254.169.254:8080";
    let inventory = ["--inventory", "inventory.json"];
    let table = serde_json::json!({
        "policies": [file], "inventories": ["inventory.json"],
        "expect": [{ "name": EVIL, "flow": format!("tcp from default/{EVIL} to 169.254.169.254:8080"),
                     "nodes": [EVIL], "decision": "redirect" }],
        EVIL: EVIL,
    });
    fs::write(folder.join("table.yaml"), table.to_string()).unwrap();
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["test", "table.yaml"],
        vec!["test", "table.yaml", "--format", "json"],
        vec!["test", "table.yaml", "--format", "junit"],
        vec!["inspect", "image.lrpc"],
        vec!["inspect", &file],
        vec!["compile", &file, "-o", "again.lrpc", "--inventory", "inventory.json"],
        vec!["check", EVIL],
        vec!["check", ".", "--format", EVIL],
        vec![EVIL],
        vec!["inspect", "named.lrpc"],
        vec!["link", "named.lrpc", "--inventory", "inventory.json", "--node", "n1"],
        vec!["explain", EVIL],
    ];
    for format in ["human", "concise", "json", "jsonl", "rdjson", "github", "gitlab", "sarif", "junit"] {
        for path in [file.as_str(), "wrong"] {
            commands.push([&["check", path, "--format", format][..], &inventory].concat());
        }
    }
    for node in ["n1", &evil_node, EVIL] {
        for format in ["human", "json"] {
            let rest = [&inventory[..], &["--node", node, "--format", format]].concat();
            commands.push([&["link", "image.lrpc"], &rest[..]].concat());
            commands.push([&["trace", "image.lrpc", &flow], &rest[..]].concat());
            commands.push([&["trace", "image.lrpc", host], &rest[..]].concat());
        }
    }
    for format in ["human", "json", "markdown", "html"] {
        for (old, new) in
            [("empty.lrpc", "image.lrpc"), ("image.lrpc", "empty.lrpc"), ("wrong", "empty.lrpc")]
        {
            commands.push([&["diff", old, new, "--format", format][..], &inventory].concat());
        }
    }
    let mut named = 0;
    for command in &commands {
        for color in ["never", "always"] {
            let said = said(folder, &[&command[..], &["--color", color]].concat());
            named += usize::from(said.contains("\\u{1b}[5m") || said.contains("\\u001b[5m"));
            let ours = said.replace("\u{1b}[", if color == "always" { "" } else { "\u{1b}[" });
            let is_hidden = |character: &char| {
                lrpc_schema::diagnostic::is_hidden(*character) && !"\n\t".contains(*character)
            };
            assert_eq!(ours.chars().find(is_hidden), None, "{command:?} --color {color} says {said:?}");
            assert!(!said.contains("\u{1b}[5m"), "{command:?} --color {color} says {said:?}");
        }
    }
    let shown = said_by_diff(folder, "empty.lrpc", "image.lrpc");
    assert!(shown.contains("\\u{1b}[5m") && !shown.contains('\u{1b}'), "{shown:?}");
    assert!(named > commands.len(), "the names are there to be seen: {named} of {}", 2 * commands.len());
}

/// `COLUMNS` says how wide it is; a name in backticks is longer than a line before it is broken.
#[test]
fn reports_are_as_wide_as_the_terminal() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/cases/human-many");
    let widest = |columns: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lrpc"));
        command.args(["check", "."]).current_dir(&case).env_clear().env("COLUMNS", columns);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        text.lines().map(|line| line.chars().count()).max().unwrap()
    };
    assert!((60..=70).contains(&widest("70")), "{}", widest("70"));
    assert!((80..=120).contains(&widest("120")), "{}", widest("120"));
}
