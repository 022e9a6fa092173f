//! `LRPC_EXTERNAL_DIFF`: a program of the user's shows the differences.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// Compares the sides of the case `diff-human` with a script as the program.
fn diff(script: &str, sides: [&str; 2]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/cases/diff-human");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrpc"));
    command.arg("diff").args(sides).args(["--inventory", "inventory.yaml"]).current_dir(case).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.env("LRPC_EXTERNAL_DIFF", format!("{} -x", program.display())).output().unwrap()
}

#[test]
fn the_program_gets_two_folders() {
    let run =
        diff("echo $1; cd $2/..; ls -d old/* new/*; cat */policy.default_new.json; exit 1", ["old", "new"]);
    let said = String::from_utf8(run.stdout).unwrap();
    let (list, policy) = said.split_once("{\n").unwrap();
    let files: Vec<_> = list.lines().collect();
    assert_eq!(
        files,
        [
            "-x",
            "new/node.n1.txt",
            "new/node.n2.txt",
            "new/policy.default_metadata.json",
            "new/policy.default_new.json",
            "new/policy.kube-system_dns.json",
            "old/node.n1.txt",
            "old/node.n2.txt",
            "old/policy.default_metadata.json",
            "old/policy.default_old.json",
            "old/policy.kube-system_dns.json",
        ]
    );
    assert!(policy.starts_with("  \"policy\": \"default/new\""), "{policy}");
    assert_eq!(run.status.code(), Some(1));
}

/// The exit code is the comparison's, whatever the program says of what it was shown.
#[test]
fn a_program_that_fails_is_a_failure() {
    assert_eq!(diff("exit 0", ["old", "new"]).status.code(), Some(1));
    assert_eq!(diff("exit 1", ["old", "old"]).status.code(), Some(0));
    assert_eq!(diff("exit 2", ["old", "new"]).status.code(), Some(2));
}
