//! Everything that is printed can be looked up.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{files, lrpc, repository, text};

/// The names of one kind that the manual has.
fn names(kind: &str) -> BTreeSet<String> {
    let entries: Value = serde_json::from_str(&text(&["explain", "--all", "--format", "json"])).unwrap();
    let of_kind = |entry: &&Value| entry["kind"] == kind;
    let entries = entries.as_array().unwrap().iter().filter(of_kind);
    entries.map(|entry| entry["code"].as_str().unwrap().to_owned()).collect()
}

/// The words of a text that look like a rule's number.
fn rules(text: &str) -> BTreeSet<String> {
    let is_rule = |word: &&str| {
        let digits = word.trim_start_matches(['R', 'D', 'L']);
        word.len() == digits.len() + 1
            && matches!(digits.len(), 1 | 2)
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(is_rule).map(str::to_owned).collect()
}

#[test]
fn every_rule_that_is_cited_is_stated() {
    let stated = names("rule");
    for folder in ["cli", "compiler", "linker", "loader", "schema", "ebpf/src", "policies", "docs"] {
        for file in files(&repository().join(folder), &[".rs", ".md"]) {
            let cited = rules(&fs::read_to_string(&file).unwrap());
            let unknown: Vec<_> = cited.difference(&stated).collect();
            assert!(unknown.is_empty(), "{} cites {unknown:?}", file.display());
        }
    }
    let beyond = lrpc(&["explain", &format!("R{}", stated.len())], &repository());
    assert_eq!(beyond.status.code(), Some(2));
}

#[test]
fn every_setting_has_a_page() {
    let settings = names("setting");
    let schema: Value = serde_json::from_str(&text(&["schema", "lrpc.toml"])).unwrap();
    for name in schema["properties"].as_object().unwrap().keys() {
        assert!(settings.contains(name), "{name}");
    }
    let semantics = fs::read_to_string(repository().join("docs/semantics.md")).unwrap();
    let rows = semantics.lines().filter_map(|line| line.strip_prefix("| `lrpc.dev/"));
    let annotations: Vec<_> =
        rows.map(|row| format!("lrpc.dev/{}", row.split('`').next().unwrap())).collect();
    assert_eq!(annotations.len(), 5);
    for name in annotations {
        assert!(settings.contains(&name), "{name}");
    }
}
