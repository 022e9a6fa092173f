//! `lrpc check` in every format for programs, over the bad examples of the whole manual.

use std::collections::HashSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Schema, examples, lrpc};

/// A folder with a bad manifest for each page that has an example, and one whose name has to be escaped.
pub(crate) fn bad_manifests() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (code, _, examples) in examples() {
        // What only a node can have wrong has no manifest to show for it.
        if let Some(bad) = examples.first() {
            fs::write(folder.path().join(format!("{code}.yaml")), bad).unwrap();
        }
    }
    let (_, _, examples) = examples().into_iter().find(|(code, ..)| code == "port-zero").unwrap();
    let named = examples[0].replace("name: metadata", "name: m\u{fc}ll\u{1b}");
    fs::write(folder.path().join("a, b: 100% <\u{fc}>&.yaml"), named).unwrap();
    folder
}

/// The bad manifests in a format; more arguments may follow.
pub(crate) fn checked(format: &str, more: &[&str]) -> String {
    let folder = bad_manifests();
    let output = lrpc(&[&["check", ".", "--format", format], more].concat(), folder.path());
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(format: &str) -> Value {
    serde_json::from_str(&checked(format, &[])).unwrap()
}

#[test]
fn json_is_as_its_schema_says() {
    let schema = Schema::printed("report");
    let report = json("json");
    schema.check(&report).unwrap();
    let mut wrong = report;
    wrong[0]["severity"] = json!("fatal");
    schema.check(&wrong).unwrap_err();
}

#[test]
fn json_with_nodes_is_as_its_schema_says() {
    let case = crate::support::repository().join("testdata/cases/check-inventory-nodes");
    let arguments = ["check", "policy.yaml", "--inventory", "inventory.yaml", "--format", "json"];
    let report: Value = serde_json::from_slice(&lrpc(&arguments, &case).stdout).unwrap();
    assert!(report[0]["node_count"].is_number(), "{report}");
    Schema::printed("report").check(&report).unwrap();
}

/// The schema of SARIF, from the package that carries it.
fn sarif_schema() -> Schema {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version=1", "--locked"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let metadata: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = std::path::Path::new(package["manifest_path"].as_str().unwrap());
    Schema::new(&fs::read_to_string(manifest.with_file_name("src").join("schema.json")).unwrap())
}

#[test]
fn sarif_is_valid() {
    let schema = sarif_schema();
    let mut log = json("sarif");
    schema.check(&log).unwrap();

    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    let mut broken = HashSet::new();
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["markdown"].as_str().unwrap().starts_with("# "), "{rule}");
        broken.insert(result["ruleId"].as_str().unwrap());
    }
    assert_eq!(broken.len(), rules.len(), "each rule is there once, and only where it is broken");
    let fingerprints: HashSet<_> =
        results.iter().map(|result| result["partialFingerprints"].to_string()).collect();
    assert_eq!(fingerprints.len(), results.len());
    let uris: Vec<_> = results
        .iter()
        .map(|result| &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        .collect();
    assert!(uris.contains(&&json!("a%2C%20b%3A%20100%25%20%3C%C3%BC%3E%26.yaml")), "{uris:?}");

    log["runs"][0]["results"][0]["level"] = json!("fatal");
    schema.check(&log).unwrap_err();
}

/// What GitLab's documentation says of a Code Quality report.
fn code_quality() -> Schema {
    Schema::new(
        &json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["description", "check_name", "fingerprint", "severity", "location"],
                "properties": {
                    "description": { "type": "string", "minLength": 1 },
                    "check_name": { "type": "string", "minLength": 1 },
                    "fingerprint": { "type": "string", "minLength": 1 },
                    "severity": { "enum": ["info", "minor", "major", "critical", "blocker"] },
                    "location": {
                        "type": "object",
                        "required": ["path", "lines"],
                        "properties": {
                            // Relative, and without `./`.
                            "path": { "type": "string", "pattern": "^[^/]", "not": { "pattern": "^\\./" } },
                            "lines": {
                                "type": "object",
                                "required": ["begin"],
                                "properties": { "begin": { "type": "integer", "minimum": 1 } },
                            },
                        },
                    },
                },
            },
        })
        .to_string(),
    )
}

#[test]
fn gitlab_is_a_code_quality_report() {
    let report = json("gitlab");
    code_quality().check(&report).unwrap();
    let issues = report.as_array().unwrap();
    let fingerprints: HashSet<_> = issues.iter().map(|issue| issue["fingerprint"].to_string()).collect();
    assert_eq!(fingerprints.len(), issues.len(), "GitLab drops the second of two equal fingerprints");
}

/// One diagnostic a line, the same as in the list.
#[test]
fn json_lines_are_the_list() {
    let lines: Vec<Value> =
        checked("jsonl", &[]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::Array(lines), json("json"));
}

/// What reviewdog's schema asks for, and the first place of a pair in every format.
#[test]
fn rdjson_is_what_reviewdog_reads() {
    let result = json("rdjson");
    let diagnostics = result["diagnostics"].as_array().unwrap();
    assert_eq!(diagnostics.len(), json("json").as_array().unwrap().len());
    for diagnostic in diagnostics {
        assert!(["ERROR", "WARNING"].contains(&diagnostic["severity"].as_str().unwrap()));
        let start = &diagnostic["location"]["range"]["start"];
        assert!(start["line"].as_u64() > Some(0) && start["column"].as_u64() > Some(0), "{diagnostic}");
    }
}

#[test]
fn every_format_names_both_places_of_a_pair() {
    for format in ["human", "concise", "json", "jsonl", "rdjson", "github", "gitlab", "sarif", "junit"] {
        let text = checked(format, &[]);
        assert!(text.contains("first claimed here"), "{format}: {text}");
    }
}

#[test]
fn exit_zero_hides_findings_and_nothing_else() {
    let folder = bad_manifests();
    let status = |arguments: &[&str]| lrpc(arguments, folder.path()).status.code();
    assert_eq!(status(&["check", ".", "--exit-zero"]), Some(0));
    assert_eq!(status(&["check", ".", "missing", "--exit-zero"]), Some(2));
}

#[test]
fn quiet_leaves_the_summary_out() {
    let folder = bad_manifests();
    let said = |more: &[&str]| lrpc(&[&["check", "."], more].concat(), folder.path());
    let (loud, quiet) = (said(&[]), said(&["--quiet"]));
    assert!(!loud.stderr.is_empty() && quiet.stderr.is_empty());
    assert_eq!(loud.stdout, quiet.stdout);
}

#[test]
fn github_has_a_command_for_each_diagnostic() {
    let text = checked("github", &[]);
    let count = json("json").as_array().unwrap().len();
    assert_eq!(text.lines().count(), count);
    for line in text.lines() {
        assert!(line.starts_with("::error title=") || line.starts_with("::warning title="), "{line}");
    }
    assert!(text.contains(",file=a%2C b%3A 100%25 <\u{fc}>&.yaml,line="), "{text}");
}

/// In a pipeline, paths begin at the checkout's root and not where `lrpc` was started.
#[test]
fn paths_begin_at_the_checkout() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let folder = root.join("cluster");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("bad.yaml"), "{").unwrap();
    for (variable, format) in [("CI_PROJECT_DIR", "gitlab"), ("GITHUB_WORKSPACE", "github")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lrpc"));
        command.args(["check", "bad.yaml", "--format", format]).current_dir(&folder).env_clear();
        let output = command.env(variable, &root).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("cluster/bad.yaml"), "{text}");
    }
}
