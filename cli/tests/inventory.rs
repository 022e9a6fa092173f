//! Inventories that no golden can hold: pipes, and files that are not files.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const POLICY: &str = include_str!("../../testdata/cases/inventory-cut-off/policy.yaml");
const INVENTORY: &str = include_str!("../../testdata/cases/inventory-diff-whole/inventory.yaml");

fn script(folder: &Path, script: &str) -> Output {
    let lrpc = env!("CARGO_BIN_EXE_lrpc");
    let script = format!("lrpc(){{ timeout 60 {lrpc} \"$@\"; }}; {script}");
    Command::new("bash").args(["-c", &script]).current_dir(folder).output().unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.yaml"), POLICY).unwrap();
    fs::create_dir(folder.path().join("dumps")).unwrap();
    fs::write(folder.path().join("dumps/cluster.yaml"), INVENTORY).unwrap();
    folder
}

/// A pipe in a folder may never say a word, so nobody waits for it, and nobody passes over it.
#[test]
fn a_pipe_in_a_folder_is_no_file() {
    for command in ["lrpc check policy.yaml --inventory dumps", "lrpc check dumps"] {
        let folder = folder();
        let output = script(folder.path(), &format!("mkfifo dumps/pipe.yaml; {command}"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        assert!(said.contains("dumps/pipe.yaml") && said.contains("it is no regular file"), "{said}");
    }
}

/// A pipe that is named is meant: what is in it is linked, which is how the only finding comes about.
#[test]
fn a_pipe_that_is_given_is_read() {
    let folder = folder();
    let looping = POLICY.replace("skipRedirectFromBackend: true", "skipRedirectFromBackend: false");
    fs::write(folder.path().join("policy.yaml"), looping).unwrap();
    for given in ["<(cat dumps/cluster.yaml)", "- < dumps/cluster.yaml"] {
        let output =
            script(folder.path(), &format!("lrpc check policy.yaml --format concise --inventory {given}"));
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(0), 1), "{given}: {said}");
        assert!(said.contains("warning[self-redirect]"), "{given}: {said}");
    }
}
