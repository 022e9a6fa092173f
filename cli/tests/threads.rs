//! Where no thread can be made (`pids.max`), a command is slower and says the same.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const POLICIES: &str = "policies/service-redirect";
const INVENTORY: &str = "testdata/inventories/guide.yaml";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn lrpc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lrpc")).args(arguments).current_dir(root()).output().unwrap()
}

/// The same, where calls of `clone3(2)` fail from the `first` on; and what strace saw.
fn without_threads(arguments: &[&str], first: usize) -> (Output, String) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("strace");
    command.args(["-f", "--trace=clone3", "-o"]).arg(log.path());
    command.arg(format!("--inject=clone3:error=EAGAIN:when={first}+")).arg(env!("CARGO_BIN_EXE_lrpc"));
    let output = command.args(arguments).current_dir(root()).output().unwrap();
    (output, fs::read_to_string(log.path()).unwrap())
}

#[test]
fn a_command_does_without_threads() {
    let commands: [&[&str]; 6] = [
        &["check", "policies"],
        &["diff", POLICIES, "policies/address-redirect"],
        &["diff", POLICIES, "policies/address-redirect", "--inventory", INVENTORY],
        &["link", POLICIES, "--inventory", INVENTORY],
        &["trace", POLICIES, "--inventory", INVENTORY, "--node", "worker-1", "tcp from host to 10.96.0.1:80"],
        &["test", "policies/address-redirect/tests/expect.yaml"],
    ];
    let mut met = 0;
    for arguments in commands {
        let (without, calls) = without_threads(arguments, 1);
        assert_eq!(without, lrpc(arguments), "{arguments:?}");
        met += usize::from(calls.contains("EAGAIN"));
    }
    assert!(met > 1, "{met} commands have met the error");
}

/// Git is a process of its own: without it there is no set, and with it no thread is needed.
#[test]
fn a_revision_is_read_without_threads() {
    let scratch = tempfile::tempdir().unwrap();
    fs::copy(root().join(POLICIES).join("one-port.yaml"), scratch.path().join("policy.yaml")).unwrap();
    for arguments in [
        &["init", "-q", "-b", "main"][..],
        &["add", "."],
        &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "policies"],
    ] {
        assert!(Command::new("git").args(arguments).current_dir(scratch.path()).status().unwrap().success());
    }
    let set = format!("{}/.git#branch=main", scratch.path().display());
    for first in 1..8 {
        let (output, _) = without_threads(&["inspect", &set], first);
        assert!(matches!(output.status.code(), Some(0 | 2)), "{first}: {output:?}");
    }
}
