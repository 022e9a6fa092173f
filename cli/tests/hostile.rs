//! Manifests that are meant to hurt: the command ends with a finding at a place or with a result, in a bounded
//! address space, and never by a signal.
//!
//! Time is bounded by counts (`input-limit`), not by a clock; `docs/performance.md` has the seconds.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Bytes of address space for the whole process with its threads' stacks: what is promised for memory, and
/// room for what a debug build maps without touching it.
const ADDRESS_SPACE: u64 = 768 << 20;

/// The exit code and the first line of `lrpc check`.
fn check(folder: &Path, name: &str, content: &[u8]) -> (i32, String) {
    let file = folder.join(name);
    fs::write(&file, content).unwrap();
    let mut limited = Command::new("prlimit");
    limited.arg(format!("--as={ADDRESS_SPACE}")).arg(env!("CARGO_BIN_EXE_lrpc"));
    // glibc reserves 64 MiB of address space for each thread's own arena.
    limited.env_clear().env("PATH", "/usr/bin:/bin").env("MALLOC_ARENA_MAX", "1");
    let output = limited.args(["check", name, "--format", "concise"]).current_dir(folder).output().unwrap();
    fs::remove_file(&file).unwrap();
    let said = [output.stdout, output.stderr].concat();
    let first = String::from_utf8(said).unwrap().lines().next().unwrap_or_default().to_owned();
    (output.status.code().unwrap_or_else(|| panic!("{name} ended by a signal: {first}")), first)
}

/// Each text with how it ends: a place and a code, or (exit 2) that there is no policy in it.
#[test]
fn what_is_meant_to_hurt_ends_with_an_answer() {
    let scratch = tempfile::tempdir().unwrap();
    let bomb: String = (1..50)
        .map(|level| {
            format!("a{level}: &a{level} [{}]\n", [format!("*a{}", level - 1).as_str(); 9].join(", "))
        })
        .collect();
    let merges: String = (1..3000)
        .map(|level| format!("a{level}: &a{level} {{<<: *a{}, k{level}: x}}\n", level - 1))
        .collect();
    let anchors: String = (0..200_000).map(|number| format!("- &a{number} [&b{number} [x]]\n")).collect();
    let cases: [(&str, Vec<u8>, i32, &str); 16] = [
        ("bomb.yaml", format!("a0: &a0 [x, x]\n{bomb}").into(), 1, "error[input-limit] the aliases"),
        ("merges.yaml", format!("a0: &a0 {{k: x}}\n{merges}").into(), 1, "error[input-limit] the aliases"),
        ("flow.yaml", "[".repeat(100_000).into(), 1, "1:256: error[input-limit]"),
        ("block.yaml", "- ".repeat(100_000).into(), 1, "1:511: error[input-limit]"),
        ("keys.yaml", "? ".repeat(100_000).into(), 1, "1:511: error[input-limit]"),
        (
            "deep.json",
            ["{\"a\":".repeat(100_000), "}".repeat(100_000)].concat().into(),
            1,
            "error[input-limit]",
        ),
        ("scalar.yaml", vec![b'x'; 100_000_000], 1, "scalar.yaml:1:1: error[input-limit]"),
        ("line.yaml", ["a: \"", &"\\n".repeat(8_000_000), "\""].concat().into(), 2, "no CiliumLocalRedirect"),
        ("nul.yaml", b"a: b\nc: d\0\n".to_vec(), 1, "nul.yaml:2:5: error[not-text]"),
        ("latin.yaml", b"a: b\nc: \xe9t\xe9\n".to_vec(), 1, "latin.yaml:2:4: error[not-text]"),
        ("documents.yaml", "---\na: 1\n".repeat(1_000_000).into(), 1, "error[input-limit]"),
        ("broken.yaml", "---\n[\n".repeat(1_000_000).into(), 1, "broken.yaml:2:1: error[yaml-syntax]"),
        ("comments.yaml", "# lrpc: allow(x) y\n".repeat(800_000).into(), 1, "error[input-limit]"),
        (
            "doubles.yaml",
            ["kind: CiliumLocalRedirectPolicy\n", &"a: 1\n".repeat(100_000)].concat().into(),
            1,
            "error[",
        ),
        ("anchors.yaml", anchors.into(), 2, "no CiliumLocalRedirect"),
        ("blank.yaml", vec![b'\n'; 16_000_000], 2, "no CiliumLocalRedirect"),
    ];
    for (name, content, exit, said) in cases {
        let (code, first) = check(scratch.path(), name, &content);
        assert_eq!(code, exit, "{name}: {first}");
        assert!(first.contains(said), "{name}: {first}");
    }
}

/// A list of problems that nobody can read is cut, and says that it is.
#[test]
fn problems_are_listed_up_to_a_limit() {
    let scratch = tempfile::tempdir().unwrap();
    let text = "---\nkind: CiliumLocalRedirectPolicy\n".repeat(100_000);
    fs::write(scratch.path().join("many.yaml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrpc"));
    let output = command.args(["check", "many.yaml", "--format", "concise"]).current_dir(scratch.path());
    let output = output.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("has more than 10000 problems"));
    assert!(said.lines().count() < 10_100, "{} lines", said.lines().count());
}

/// A policy with this many ports of a Service.
fn ports(count: usize, app: &str) -> String {
    let ports: String =
        (1..=count).map(|port| format!("\n    - {{port: '{port}', name: p{port}, protocol: TCP}}")).collect();
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\nmetadata: {{name: p, namespace: d}}\nspec:\n \
         redirectFrontend:\n  serviceMatcher:\n   serviceName: s\n   namespace: d\n   toPorts:{ports}\n \
         redirectBackend:\n  localEndpointSelector: {{matchLabels: {{app: {app}}}}}\n  toPorts:{ports}\n"
    )
}

/// Each frontend is shown with its policy, and a policy of many ports has as many frontends: what is shown grows
/// with the ports and not with their square.
#[test]
fn a_difference_grows_with_the_ports_of_a_policy() {
    let scratch = tempfile::tempdir().unwrap();
    let size = |count: usize, format: &str| {
        for app in ["a", "b"] {
            fs::write(scratch.path().join(format!("{app}.yaml")), ports(count, app)).unwrap();
        }
        let mut diff = Command::new(env!("CARGO_BIN_EXE_lrpc"));
        diff.args(["diff", "a.yaml", "b.yaml", "--format", format]).current_dir(scratch.path());
        let output = diff.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        output.stdout.len()
    };
    for format in ["human", "json", "markdown", "html"] {
        let (once, twice) = (size(400, format), size(800, format));
        assert!(twice < once * 9 / 4, "{format}: {once} bytes, then {twice}");
    }
    assert!(size(16, "json") < size(17, "json") * 2, "a policy of few ports is shown whole");
}
