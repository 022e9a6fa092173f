//! `lrpc schema manifest`: what `lrpc` accepts is valid, and what it rejects for its shape is not.

use serde_json::Value;

use crate::support::{Schema, documents, examples, files, lrpc, repository};

/// The errors that are about the shape of a manifest and so the schema's to find as well. The others are about
/// what a shape means, or about several objects.
const SHAPE: [&str; 16] = [
    "both-matchers",
    "invalid-annotation",
    "invalid-label",
    "invalid-name",
    "invalid-selector",
    "missing-field",
    "missing-port-name",
    "no-matcher",
    "no-ports",
    "port-not-a-number",
    "port-octal",
    "port-out-of-range",
    "port-zero",
    "unknown-annotation",
    "unknown-field",
    "wrong-type",
];

fn is_valid(schema: &Schema, documents: &[Value]) -> Result<(), String> {
    documents.iter().try_for_each(|document| schema.check(document))
}

#[test]
fn accepted_manifests_are_valid() {
    let schema = Schema::printed("manifest");
    let mut policies = 0;
    for root in ["policies", "testdata"] {
        for file in files(&repository().join(root), &[".yaml", ".yml", ".json"]) {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let arguments =
                ["check", file.to_str().unwrap(), "--namespace", "default", "--config", "/dev/null"];
            if !text.contains("LocalRedirect") || !lrpc(&arguments, &repository()).status.success() {
                continue;
            }
            let documents = documents(&text).unwrap_or_else(|| panic!("{}: not YAML", file.display()));
            is_valid(&schema, &documents).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            policies += 1;
        }
    }
    assert!(policies > 20, "{policies} files hold accepted policies");
}

#[test]
fn the_manual_is_right_about_shapes() {
    let schema = Schema::printed("manifest");
    for (code, severity, examples) in examples() {
        for (index, example) in examples.iter().enumerate() {
            // The first of two is the bad one; a loader's page has inventories between its policies.
            let is_wrong = index == 0 && severity == "error";
            let Some(documents) = documents(example) else {
                assert!(is_wrong, "{code}: the good example is not YAML");
                continue;
            };
            let found = is_valid(&schema, &documents);
            if !is_wrong {
                found.unwrap_or_else(|error| panic!("{code}: {error}"));
            } else if SHAPE.contains(&&*code) {
                found.expect_err(&code);
            }
        }
    }
}

/// What is broken in a sound policy, and how.
#[test]
fn broken_shapes_are_not_valid() {
    const SOUND: &str = include_str!("../../../testdata/cases/trace-own-traffic/policy.yaml");
    let schema = Schema::printed("manifest");
    let check = |text: &str| is_valid(&schema, &documents(text).unwrap());
    check(SOUND).unwrap();
    for (from, to) in [
        ("cilium.io/v2", "cilium.io/v1"),
        ("name: kiam\n", "name: Kiam\n"),
        ("namespace: default", "namespace: [default]"),
        ("metadata:", "metadata:\n  anotations: {}"),
        ("namespace: default", "annotations: {lrpc.dev/fallbak: drop}"),
        ("namespace: default", "annotations: {lrpc.dev/fallback: dropp}"),
        ("namespace: default", "annotations: {lrpc.dev/clients: pod}"),
        ("namespace: default", "annotations: {lrpc.dev/backend-address: 127.0.0.1}"),
        ("ip: 169.254.169.254", "ip: 169.254.169.0/24"),
        ("ip: 169.254.169.254", "ip: 169.254.169.254\n      port: \"80\""),
        ("port: \"80\"", "port: 80"),
        ("port: \"80\"", "port: \"65536\""),
        ("protocol: TCP", "protocol: tcp"),
        ("matchLabels:", "matchLabel:"),
        ("app: kiam", "app: true"),
        ("skipRedirectFromBackend: true", "skipRedirectFromBackend: \"yes\""),
        ("skipRedirectFromBackend: true", "overrideIP: 169.254.1.1"),
    ] {
        assert!(SOUND.contains(from), "{from}");
        let broken = SOUND.replacen(from, to, 1);
        assert!(check(&broken).is_err(), "{to}");
        let listed = format!("kind: List\nitems:\n- {}", broken.replace('\n', "\n  "));
        assert!(check(&listed).is_err(), "in a list: {to}");
    }
}
