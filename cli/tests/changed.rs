//! `lrpc check --changed-since`: what concerns changed files, with knowledge of all.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs git apart from the settings of whoever runs the tests.
fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
    command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let run = command.output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

fn policy(name: &str, ip: &str, port: &str) -> String {
    format!(
        "apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata: {{name: {name}, namespace: default}}
spec:
  redirectFrontend:
    addressMatcher: {{ip: {ip}, toPorts: [{{port: \"{port}\", protocol: TCP}}]}}
  redirectBackend:
    localEndpointSelector: {{matchLabels: {{app: x}}}}
    toPorts: [{{port: \"80\", protocol: TCP}}]
"
    )
}

/// `main` has `a` and a broken `b`; the branch `work` adds `c`, which claims the frontend of `a`, and `main` goes
/// on with a broken `d`.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    git(root, &["init", "--quiet", "--initial-branch=main"]);
    fs::create_dir(root.join("policies")).unwrap();
    let write = |name: &str, text: String| fs::write(root.join("policies").join(name), text).unwrap();
    let commit = |message: &str| {
        git(root, &["add", "."]);
        git(root, &["commit", "--quiet", "-m", message]);
    };
    write("a.yaml", policy("a", "169.254.0.1", "80"));
    write("b.yaml", policy("b", "169.254.0.2", "0"));
    commit("one");
    git(root, &["checkout", "--quiet", "-b", "work"]);
    write("c.yaml", policy("c", "169.254.0.1", "80"));
    commit("two");
    git(root, &["checkout", "--quiet", "main"]);
    write("b.yaml", policy("b", "169.254.0.3", "0"));
    commit("three");
    git(root, &["checkout", "--quiet", "work"]);
    folder
}

fn lrpc(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrpc"));
    command.args(["check", "policies", "--format", "concise"]).args(arguments).current_dir(folder);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap()
}

/// The files and codes of what is reported, and the exit code.
#[track_caller]
fn check(folder: &Path, arguments: &[&str], expected: &[&str], exit: i32) {
    let run = lrpc(folder, arguments);
    let said = String::from_utf8(run.stdout).unwrap();
    let short = |line: &str| {
        let file = line.split(':').next().unwrap_or_default().trim_start_matches("policies/").to_owned();
        let code = line.split(['[', ']']).nth(1).unwrap_or_default().to_owned();
        format!("{file} {code}")
    };
    let found: Vec<_> = said.lines().filter(|line| line.contains("error[")).map(short).collect();
    assert_eq!(
        (found, run.status.code()),
        (expected.iter().map(|one| (*one).to_owned()).collect(), Some(exit))
    );
}

#[test]
fn what_concerns_a_changed_file_is_reported() {
    let repository = repository();
    let root = repository.path();
    check(root, &[], &["b.yaml port-zero", "c.yaml frontend-overlap"], 1);
    // `b` has changed on `main` alone, after this branch left it.
    check(root, &["--changed-since", "main"], &["c.yaml frontend-overlap"], 1);
    check(root, &["--changed-since", "HEAD"], &[], 0);

    // The other place of a pair is enough, and so is a file that git does not know.
    fs::write(root.join("policies/a.yaml"), policy("a", "169.254.0.1", "80") + "# changed\n").unwrap();
    check(root, &["--changed-since", "HEAD"], &["c.yaml frontend-overlap"], 1);
    git(root, &["checkout", "--quiet", "policies/a.yaml"]);
    fs::write(root.join("policies/e.yaml"), policy("e", "169.254.0.9", "0")).unwrap();
    check(root, &["--changed-since", "HEAD"], &["e.yaml port-zero"], 1);
    fs::remove_file(root.join("policies/e.yaml")).unwrap();

    // Other settings concern every file.
    fs::write(root.join("lrpc.toml"), "").unwrap();
    check(root, &["--changed-since", "HEAD"], &["b.yaml port-zero", "c.yaml frontend-overlap"], 1);
}

#[test]
fn what_cannot_be_told_is_no_success() {
    let repository = repository();
    for revision in ["nowhere", "--all"] {
        let argument = format!("--changed-since={revision}");
        assert_eq!(lrpc(repository.path(), &[&argument]).status.code(), Some(2), "{revision}");
    }
    fs::remove_dir_all(repository.path().join(".git")).unwrap();
    let run = lrpc(repository.path(), &["--changed-since", "main"]);
    assert_eq!(run.status.code(), Some(2));
}
