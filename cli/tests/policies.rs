//! The policies of this repository follow their own advice: where everything is ready, no warning is left, neither
//! without a cluster nor linked with one.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Each folder with an inventory, and a node of it on which everything is ready.
const READY: [(&str, &str, &str); 7] = [
    ("address-redirect", "guide", "worker-1"),
    ("egress-proxy", "guide", "worker-1"),
    ("kiam-eks", "eks-kiam", "ip-192-168-60-99.eu-west-1.compute.internal"),
    ("metadata-agent", "metadata-agent", "pool-a-1"),
    ("node-local-dns", "node-local-dns", "worker-1"),
    ("service-redirect", "guide", "worker-1"),
    ("telemetry-agent", "dual-stack", "edge-1"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn lrpc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lrpc")).args(arguments).current_dir(root()).output().unwrap()
}

#[track_caller]
fn ends_with_0(arguments: &[&str]) {
    let output = lrpc(arguments);
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "lrpc {}:\n{}", arguments.join(" "), String::from_utf8_lossy(&said));
}

#[test]
fn every_folder_is_clean() {
    let folders = fs::read_dir(root().join("policies")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    let names: Vec<_> = folders.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, READY.map(|(name, ..)| name), "every folder is in the table");
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("image.lrpc");
    let image = image.to_str().unwrap();
    for (name, inventory, node) in READY {
        let (folder, inventory) =
            (format!("policies/{name}"), format!("testdata/inventories/{inventory}.yaml"));
        ends_with_0(&["check", &folder, "--deny-warnings"]);
        ends_with_0(&["compile", &folder, "-o", image, "--deny-warnings"]);
        for set in [&folder, image] {
            ends_with_0(&["link", set, "--inventory", &inventory, "--node", node, "--deny-warnings"]);
        }
    }
    ends_with_0(&["check", "policies", "--deny-warnings"]);
}

/// The control: a comment that is taken out is missed by check and link alike.
#[test]
fn a_comment_is_why_one_is_clean() {
    let text = fs::read_to_string(root().join("policies/address-redirect/policy.yaml")).unwrap();
    let (before, behind) = text.split_once(" # lrpc: allow(").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let policy = scratch.path().join("policy.yaml");
    let rest = behind.split_once('\n').unwrap().1;
    fs::write(&policy, format!("{before}\n{rest}")).unwrap();
    let policy = policy.to_str().unwrap();
    let inventory = ["--inventory", "testdata/inventories/guide.yaml", "--deny-warnings"];
    let link = [&["link", policy, "--node", "worker-1"][..], &inventory].concat();
    let output = lrpc(&link);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("self-redirect"));
}
