//! `lrpc schema lrpc.toml`: what `lrpc` reads is valid, and what it refuses is not.

use std::fs;

use crate::support::{Schema, files, lrpc, repository};

const WHOLE: &str = r#"
allowed-addresses = ["169.254.0.0/16", "fd00::/8"]

[severity]
cilium-conflict = "error"
empty-selector = "off"
unused-allow = "warning"

[namespaces.kube-system]
matchers = ["address", "service"]
addresses = ["169.254.20.10/32"]
services = ["kube-dns"]

[namespaces."*"]
matchers = []
"#;

/// Whether the schema, and whether `lrpc` itself, takes the settings.
fn taken(settings: &str) -> (bool, bool) {
    let schema = Schema::printed("lrpc.toml");
    let by_schema = toml::from_str(settings).is_ok_and(|value| schema.check(&value).is_ok());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lrpc.toml"), settings).unwrap();
    fs::write(folder.path().join("empty.yaml"), "").unwrap();
    let run = lrpc(&["check", ".", "--allow-empty"], folder.path());
    (by_schema, run.status.success())
}

#[test]
fn every_setting_is_valid() {
    assert_eq!(taken(WHOLE), (true, true));
    assert_eq!(taken(""), (true, true));
}

#[test]
fn settings_of_the_cases_are_valid() {
    let schema = Schema::printed("lrpc.toml");
    let files =
        files(&repository().join("testdata"), &["accept-config/lrpc.toml", "accept-severity/lrpc.toml"]);
    assert!(!files.is_empty());
    for file in files {
        let settings = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        schema.check(&settings).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

#[test]
fn what_is_refused_is_not_valid() {
    for (from, to) in [
        ("allowed-addresses", "allowed-adresses"),
        ("allowed-addresses", "allowed_addresses"),
        ("\"169.254.0.0/16\"", "\"169.254.0.0\""),
        ("\"169.254.0.0/16\"", "169"),
        ("\"error\"", "\"fatal\""),
        ("[severity]", "[severities]"),
        ("matchers = [\"address\"", "matchers = [\"addresses\""),
        ("matchers = [\"address\", \"service\"]", "matchers = \"address\""),
        ("services =", "service ="),
        ("[namespaces.kube-system]", "[namespaces.Kube]"),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        assert_eq!(taken(&WHOLE.replacen(from, to, 1)), (false, false), "{to}");
    }
}
