//! Input that is meant to hurt ends in an error with a place, and anything at all without a panic.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use lrpc_compiler::{Options, Source, check, emit, parse};
use proptest::prelude::*;
use support::{ADDRESS, SERVICE, address, checked, rendered};

/// The place, code and headline of the first diagnostic.
fn first(text: &str) -> String {
    rendered(&checked(&[("a.yaml", text)], &Options::default()).diagnostics)
        .lines()
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn an_alias_bomb_is_refused_where_it_goes_off() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..50 {
        let alias = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", "));
    }
    assert_eq!(
        first(&text),
        "a.yaml:6:10-6:13: error[input-limit] the aliases of a document repeat more than 100000 values"
    );
    assert_eq!(
        first("a: &a [*a]\n"),
        "a.yaml:1:8-1:10: error[yaml-syntax] the alias `*a` is part of the value that it names"
    );
}

#[test]
fn deep_nesting_is_refused() {
    for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        assert!(first(&text).contains("error[input-limit] a document is nested deeper than 255 levels"));
    }
}

#[test]
fn long_texts_are_refused_and_long_scalars_cut() {
    let long = lrpc_compiler::read("a.yaml", vec![b'x'; Source::MAX_BYTES + 1]).unwrap_err();
    assert_eq!(
        rendered(&[*long]).lines().next().unwrap(),
        "a.yaml:1:1-1:1: error[input-limit] `a.yaml` is longer than the 16777216 bytes that are read"
    );
    let cut = first(&address("app: proxy", &format!("app: {}", "x".repeat(1 << 20))));
    assert!(cut.len() < 200, "{} bytes", cut.len());
}

#[test]
fn counts_are_bounded() {
    let many = |piece: &str, count: usize| first(&piece.repeat(count));
    assert!(many("---\na: 1\n", 600_000).contains("has more than 3000000 documents, values and comments"));
    assert!(many("- x\n", 1_000_001).contains("a document has more than 1000000 values"));
    let unknown: String = (0..20_000).map(|field| format!("  f{field}: 1\n")).collect();
    let found = checked(&[("a.yaml", &format!("{ADDRESS}{unknown}"))], &Options::default());
    assert!(found.diagnostics.len() < 10_100, "{}", found.diagnostics.len());
    assert!(rendered(&found.diagnostics).contains("has more than 10000 problems"));
}

/// Pieces that policies are made of, so that random text gets past the first line.
fn mutated() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "toPorts",
        "port",
        "\"",
        "'",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "\n",
        "  ",
        "&a ",
        "*a",
        "<<",
        "!!str ",
        "# ",
        "---\n",
        "lrpc: allow(x) y",
        "null",
        "010",
        "::1",
        "ü",
        "\u{feff}",
        "\0",
        "\t",
        "name: ",
        "lrpc.dev/clients: ",
        "|",
        ">",
        "%",
    ]);
    let base = prop::sample::select(vec![ADDRESS, SERVICE]);
    let edit = (any::<prop::sample::Index>(), 0..12_usize, piece);
    (base, prop::collection::vec(edit, 1..6)).prop_map(|(base, edits)| {
        let mut text: Vec<char> = base.chars().collect();
        for (at, removed, piece) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

/// Every label lies within its text, and a plan is there exactly where no error is.
fn is_consistent(text: &str) {
    let checked = check(vec![parse(&Source::new("a.yaml", text))], &Options::default());
    rendered(&checked.diagnostics);
    let has_error =
        checked.diagnostics.iter().any(|found| found.severity == lrpc_schema::diagnostic::Severity::Error);
    assert_eq!(checked.plan.is_none(), has_error, "{text}");
    assert!(checked.diagnostics.iter().all(|found| !found.message.contains('\n')));
    if let Some(plan) = checked.plan {
        lrpc_schema::image::Image::decode(emit(&plan, false).bytes().to_vec()).unwrap();
    }
}

/// One of the good ones mostly, else one of the bad ones.
fn mostly(
    good: &[&'static str],
    bad: &[&'static str],
) -> impl Strategy<Value = &'static str> + Clone + use<> {
    prop_oneof![12 => prop::sample::select(good.to_vec()), 1 => prop::sample::select(bad.to_vec())]
}

/// A policy of parts each of which is at the edge of a rule: one in a few of them is whole.
fn odd() -> impl Strategy<Value = String> {
    let names = mostly(&[", name: a", ", name: b", ", name: A"], &["", ", name: '1 x'", ", name: ''"]);
    let port = (prop::sample::select(vec!["53", "80", "65535"]), mostly(&["TCP"], &["UDP"]), names)
        .prop_map(|(number, protocol, name)| format!("{{port: '{number}', protocol: {protocol}{name}}}"));
    let ports = prop::collection::vec(port, 0..3).prop_map(|ports| ports.join(", "));
    let ip = mostly(
        &["169.254.1.1", "fd00::1", "127.0.0.1"],
        &["0.0.0.0", "::ffff:10.0.0.1", "224.0.0.1", "::", "255.255.255.255"],
    );
    let frontend = (any::<bool>(), ip, ports.clone()).prop_map(|(is_address, ip, ports)| match is_address {
        true => format!("addressMatcher: {{ip: '{ip}', toPorts: [{ports}]}}"),
        false => format!("serviceMatcher: {{serviceName: s, namespace: d, toPorts: [{ports}]}}"),
    });
    let selector = mostly(
        &[
            "{matchLabels: {a: x}}",
            "{}",
            "{matchExpressions: [{key: a, operator: NotIn, values: [x, x]}, {key: 'k8s:b', operator: Exists}]}",
        ],
        &[
            "{matchExpressions: [{key: a, operator: In, values: []}]}",
            "{matchExpressions: [{key: a, operator: Exists, values: [x]}]}",
            "{matchLabels: {'': x}}",
        ],
    );
    let annotation = mostly(
        &["", "lrpc.dev/backend-address: 169.254.1.1", "lrpc.dev/clients: 'selector:a notin (b)'"],
        &[
            "lrpc.dev/backend-address: 127.0.0.1",
            "lrpc.dev/nodes: 'a in ()'",
            "lrpc.dev/nodes: ''",
            "lrpc.dev/clients: 'selector:'",
        ],
    );
    (frontend, ports, selector, annotation).prop_map(|(frontend, backend, selector, annotation)| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\n\
             metadata: {{name: p, namespace: d, annotations: {{{annotation}}}}}\n\
             spec:\n  redirectFrontend: {{{frontend}}}\n  \
             redirectBackend: {{localEndpointSelector: {selector}, toPorts: [{backend}]}}\n"
        )
    })
}

/// The odd parts do make policies that compile, and ones that do not.
#[test]
fn odd_policies_are_of_both_kinds() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut sound = 0;
    for _ in 0..300 {
        let text = odd().new_tree(&mut runner).unwrap().current();
        sound += usize::from(checked(&[("a.yaml", &text)], &Options::default()).plan.is_some());
    }
    assert!((10..290).contains(&sound), "{sound} of 300");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_policies_are_read_without_a_panic(text in mutated()) {
        is_consistent(&text);
    }

    #[test]
    fn what_the_compiler_lets_through_is_read_back(text in odd()) {
        is_consistent(&text);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(source) = lrpc_compiler::read("a.yaml", bytes) {
            is_consistent(source.text());
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC*") {
        is_consistent(&text);
    }

    #[test]
    fn the_order_of_files_does_not_matter(texts in prop::collection::vec(mutated(), 2..5), seed in any::<prop::sample::Index>()) {
        let files: Vec<_> = texts.iter().enumerate().map(|(index, text)| (format!("{index}.yaml"), text)).collect();
        let result = |files: &[(String, &String)]| {
            let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            let checked = checked(&files, &Options::default());
            let bytes = checked.plan.map(|plan| emit(&plan, false).bytes().to_vec());
            (rendered(&checked.diagnostics), checked.ignored, bytes)
        };
        let mut turned = files.clone();
        turned.rotate_left(seed.index(files.len()));
        prop_assert_eq!(result(&files), result(&turned));
    }
}
