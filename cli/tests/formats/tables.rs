//! Expectation tables: those of `policies/` are met, the schema takes what `lrpc test` takes, and refuses what
//! it refuses for its shape.

use std::fs;

use lrpc_linker::trace::Reason;
use serde_json::Value;

use crate::support::{Schema, documents, files, lrpc, repository, text};

/// Every folder of policies says in a table what it does, and does it.
#[test]
fn policies_do_what_their_tables_say() {
    for entry in fs::read_dir(repository().join("policies")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.is_dir() {
            let run = lrpc(&["test", "tests/expect.yaml"], &folder);
            let said = String::from_utf8_lossy(&run.stdout).into_owned();
            assert!(run.status.success(), "{}: {said}", folder.display());
        }
    }
}

#[test]
fn tables_that_run_are_valid() {
    let schema = Schema::printed("test");
    let tables = [
        files(&repository().join("policies"), &["tests/expect.yaml"]),
        files(&repository().join("testdata/cases"), &["test-human/table.yaml", "test-met/table.yaml"]),
    ];
    let tables = tables.concat();
    assert!(tables.len() > 8, "{tables:?}");
    for file in tables {
        for document in documents(&fs::read_to_string(&file).unwrap()).unwrap() {
            schema.check(&document).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
    }
}

const WHOLE: &str = r#"
policies: [policy.yaml]
inventories: cluster.yaml
expect:
  - name: text
    flow: tcp from host to 1.2.3.4:1
    nodes: all
    decision: original
    reason: no-frontend
  - flow: udp from a/{app=x} to [::1]:53
    decision: redirect
    policy: a/b
    backends: [a/*, "1.2.3.4:80"]
"#;

/// Whether the schema, and whether `lrpc` itself, takes a table.
fn taken(table: &str) -> (bool, bool) {
    let schema = Schema::printed("test");
    let by_schema = documents(table).is_some_and(|all| all.iter().all(|one| schema.check(one).is_ok()));
    let folder = tempfile::tempdir().unwrap();
    let policies = repository().join("policies/address-redirect");
    fs::copy(policies.join("policy.yaml"), folder.path().join("policy.yaml")).unwrap();
    let inventory = repository().join("testdata/inventories/guide.yaml");
    fs::copy(inventory, folder.path().join("cluster.yaml")).unwrap();
    fs::write(folder.path().join("table.yaml"), table).unwrap();
    let run = lrpc(&["test", "table.yaml"], folder.path());
    (by_schema, run.status.code() != Some(2))
}

#[test]
fn what_is_refused_is_not_valid() {
    assert_eq!(taken(WHOLE), (true, true));
    for (from, to) in [
        ("policies:", "policy:"),
        ("[policy.yaml]", "[]"),
        ("inventories: cluster.yaml", "inventories:"),
        ("  - name", "  - neame"),
        ("name: text", "name: []"),
        ("tcp from host to 1.2.3.4:1", "tcp to 1.2.3.4:1"),
        ("nodes: all", "nodes: []"),
        ("decision: original", "decision: pass"),
        ("    decision: redirect\n", ""),
        ("no-frontend", "no-front"),
        ("decision: original", "decision: redirect"),
        ("decision: redirect", "decision: drop"),
        ("policy: a/b", "policy: b"),
        ("[a/*, \"1.2.3.4:80\"]", "[]"),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        assert_eq!(taken(&WHOLE.replacen(from, to, 1)), (false, false), "{to}");
    }
}

#[test]
fn the_schema_knows_every_reason() {
    let schema: Value = serde_json::from_str(&text(&["schema", "test"])).unwrap();
    let known = &schema["definitions"]["expectation"]["properties"]["reason"]["enum"];
    let reasons: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(*known, serde_json::json!(reasons));
}
