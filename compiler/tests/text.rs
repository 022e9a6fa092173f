//! Every form of text that is accepted, and every way in which a text can fail to be one.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use lrpc_compiler::{Options, Source, emit, examine, parse};
use lrpc_schema::diagnostic::{Field, FieldOf};
use support::{ADDRESS, address, checked, headlines, rendered, report};

/// The digest of the image of one text.
fn digest(text: &str) -> String {
    let checked = checked(&[("a.yaml", text)], &Options::default());
    assert_eq!(rendered(&checked.diagnostics), "");
    emit(&checked.plan.unwrap(), true).digest().to_string()
}

const JSON: &str = r#"{"apiVersion": "cilium.io/v2", "kind": "CiliumLocalRedirectPolicy",
  "metadata": {"name": "redirect", "namespace": "default"},
  "spec": {
    "redirectFrontend": {"addressMatcher": {"ip": "169.254.169.254",
      "toPorts": [{"port": "8080", "protocol": "TCP"}]}},
    "redirectBackend": {"localEndpointSelector": {"matchLabels": {"app": "proxy"}},
      "toPorts": [{"port": "80", "protocol": "TCP"}]}}}"#;

#[test]
fn every_form_of_one_policy_is_the_same_policy() {
    let indented: String = ADDRESS.lines().map(|line| format!("    {line}\n")).collect();
    let forms = [
        JSON.to_owned(),
        ADDRESS.replace('\n', "\r\n"),
        format!("\u{feff}{ADDRESS}"),
        format!("# ümläut\n---\n{ADDRESS}...\n---\n# nothing\n"),
        format!("apiVersion: v1\nkind: List\nitems:\n  -\n{indented}"),
        format!("{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{JSON}]}}"),
        address("app: proxy", "app: 'proxy' # the agent"),
        address("app: proxy", "k8s:app: &agent proxy").replace("\"80\"", "!!str 80"),
        address("protocol: TCP", "protocol: &tcp TCP")
            .replace("\"80\"\n        protocol: TCP", "\"80\"\n        protocol: *tcp"),
        address("- port: \"8080\"\n          protocol: TCP", "- &port {port: \"8080\", protocol: TCP}")
            .replace("- port: \"80\"\n        protocol: TCP", "- {<<: *port, port: \"80\"}"),
        address(
            "matchLabels:\n        app: proxy",
            "matchExpressions: [{key: app, operator: In, values: [proxy]}]",
        ),
        address(
            "spec:\n",
            "status: {ok: true}\nspec:\n  description: >-\n    folded\n    text\n  skipRedirectFromBackend: false\n",
        ),
    ];
    let expected = digest(ADDRESS);
    for form in forms {
        assert_eq!(digest(&form), expected, "{form}");
    }
}

#[test]
fn carets_are_right_behind_non_ascii_text() {
    let text = JSON
        .replace("\"redirect\"", "\"redirect\", \"labels\": {\"ä\": \"日本\"}")
        .replace("\"default\"", "\"défault\"");
    assert_eq!(
        report(&text).lines().take(2).collect::<Vec<_>>(),
        [
            "a.yaml:2:72-2:81: error[invalid-name] `metadata.namespace` cannot be `défault`",
            "  a.yaml:2:72-2:81 \"\\\"défault\\\"\" no name of a Kubernetes object",
        ]
    );
}

#[test]
fn documents_of_other_kinds_are_counted() {
    let text = format!(
        "kind: Pod\n---\n{ADDRESS}---\nno: kind\n---\n- list\n---\n---\nkind: List\nitems: [{{kind: Node}}]\n"
    );
    let found = checked(&[("a.yaml", &text)], &Options::default());
    assert_eq!((found.ignored, found.diagnostics.len(), found.plan.unwrap().policies().len()), (4, 0, 1));
    let strict = Options { strict_kinds: true, ..Options::default() };
    assert_eq!(support::headlines_of(&checked(&[("a.yaml", &text)], &strict).diagnostics).len(), 4);
}

#[test]
fn near_misses_are_errors() {
    let group = address("cilium.io/v2", "cilium.io/v1");
    assert_eq!(
        headlines(&group),
        [
            "1:13 `cilium.io/v1` has no `CiliumLocalRedirectPolicy`; `cilium.io/v2` has: write `apiVersion: cilium.io/v2`"
        ]
    );
    let kind = address("CiliumLocalRedirectPolicy", "CiliumLocalRedirectPolcy");
    assert_eq!(
        headlines(&kind),
        [
            "2:7 `CiliumLocalRedirectPolcy` is not a kind; `CiliumLocalRedirectPolicy` is: write `kind: CiliumLocalRedirectPolicy`"
        ]
    );
}

/// Another product's kind is another kind, whatever it is called.
#[test]
fn another_group_is_another_kind() {
    let foreign = [
        address(
            "cilium.io/v2\nkind: CiliumLocalRedirectPolicy",
            "balancing.elf.io/v1\nkind: LocalRedirectPolicy",
        ),
        address("cilium.io/v2", "x.example.com/v1"),
        address("cilium.io/v2\nkind: Cilium", "x.example.com/v1\nkind: Template"),
    ];
    for text in foreign {
        let found = checked(&[("a.yaml", &text)], &Options::default());
        assert_eq!((found.ignored, found.diagnostics.len()), (1, 0), "{text}");
    }
    assert_eq!(headlines(&address("cilium.io/v2", "cillium.io/v2")).len(), 1);
}

/// Whatever the place and the syntax, the remedy for a template is to render it.
#[test]
fn templates_are_to_be_rendered_first() {
    let placeholders = [
        "{{ .Values.x }}",
        "${X}",
        "$(X)",
        "$XY",
        "<%= x %>",
        "@VAR@",
        "__VAR__",
        "((var))",
        "[[var]]",
        "#{X}#",
    ];
    for from in ["\"169.254.169.254\"", "\"8080\"", "TCP", "proxy", "default", "redirect"] {
        for quote in ["\"", ""] {
            for placeholder in placeholders {
                let text = ADDRESS.replacen(&format!(" {from}"), &format!(" {quote}{placeholder}{quote}"), 1);
                assert_ne!(text, ADDRESS, "{from}");
                let found = headlines(&text);
                // Unquoted, a `#` begins a comment: the value is not there.
                let is_absent = quote.is_empty() && placeholder.starts_with('#');
                assert!(!found.is_empty(), "{from} {placeholder}");
                let is_told = |line: &String| line.contains("this looks like a template");
                assert!(is_absent || found.iter().all(is_told), "{from} {placeholder}: {found:#?}");
            }
        }
    }
}

/// A list says what its elements are; nothing in it is passed over (L3).
#[test]
fn lists_are_read_whole() {
    let bare = ADDRESS.replace("apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\n", "");
    let indented: String = bare.lines().map(|line| format!("    {line}\n")).collect();
    let list =
        |items: &str| format!("apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicyList\nitems:{items}");
    assert_eq!(digest(&list(&format!("\n  -\n{indented}"))), digest(ADDRESS));
    assert_eq!(headlines(&list(" null\n")), [""; 0]);
    assert_eq!(
        headlines(&list(" {a: b}\n")),
        ["3:8 `items` must be a list, not an object: make it a list of one element: begin it with `- `"]
    );
    assert_eq!(
        headlines(&list(" [a, ~, {}]\n")),
        [
            "3:9 `items[0]` must be an object, not a string: write an object here",
            "3:12 `items[1]` must be an object, not nothing: write an object here",
            "3:15 `metadata` is missing: add it, for example `metadata: {name: redirect, namespace: default}`",
            "3:15 `spec` is missing: add it, for example `spec: {redirectFrontend: …, redirectBackend: …}`",
        ]
    );
    assert_eq!(
        headlines("kind: List\nitems: none\n"),
        ["2:8 `items` must be a list, not a string: write a list here"]
    );
    let old = list(&format!("\n  -\n{indented}")).replace("cilium.io/v2", "cilium.io/v2alpha1");
    assert_eq!(headlines(&old).len(), 1, "the group of a list counts");
    let other = list("\n  - {kind: Pod}\n");
    assert_eq!(checked(&[("a.yaml", &other)], &Options::default()).ignored, 1);
}

#[test]
fn documents_behind_a_slip_are_still_checked() {
    let text =
        format!("a: [b\n---\n{}---\na: b: c\n---\n{}", address("TCP", "tcp"), address("\"8080\"", "\"0\""));
    assert_eq!(
        headlines(&text).iter().map(|line| line.split_once(": ").unwrap().0).collect::<Vec<_>>(),
        [
            "1:4 not YAML",
            "14:21 `tcp` is no protocol that can be redirected",
            "23:5 not YAML",
            "28:9 the policy `default/redirect` is written twice",
            "35:17 there is no port 0",
        ]
    );
}

#[test]
fn slips_have_a_hint() {
    let template = address("namespace: default", "namespace: {{ .Release.Namespace }}");
    assert!(report(&template).contains("this looks like a template"), "{}", report(&template));
    let mark = address("spec:", "\u{feff}spec:");
    assert_eq!(
        headlines(&mark)[0],
        "6:1 not YAML: a byte order mark stands inside a document: remove the character: it may stand at the start of a file only"
    );
    assert!(report(&mark).contains(r#" "\u{feff}" an invisible U+FEFF"#));
    let tabs = address("  name: redirect", "\tname: redirect");
    assert!(report(&tabs).contains("indent with spaces"), "{}", report(&tabs));
    assert!(report("a: *b\n").contains("unknown anchor"), "{}", report("a: *b\n"));
}

#[test]
fn a_key_that_is_written_twice_is_shown_at_both_places() {
    let text = address("  name: redirect\n", "  name: redirect\n  name: other\n");
    assert_eq!(
        report(&text),
        r#"a.yaml:5:3-5:7: error[duplicate-key] the key `name` is written twice
  of default/redirect
  a.yaml:5:3-5:7 "name" written again here
  a.yaml:4:3-4:7 "name" first written here
  help: remove one of the two
"#
    );
    let many: String = (0..40).map(|label| format!("        label-{}: x\n", label % 39)).collect();
    assert_eq!(
        headlines(&address("        app: proxy\n", &many)),
        ["55:9 the key `label-0` is written twice: remove one of the two"]
    );
}

#[test]
fn bytes_are_read_as_text_or_reported() {
    assert!(lrpc_compiler::read("a.yaml", ADDRESS.as_bytes().to_vec()).is_ok());
    let latin = lrpc_compiler::read("a.yaml", b"name: caf\xe9\n".to_vec()).unwrap_err();
    assert_eq!(
        rendered(&[*latin]),
        "a.yaml:1:10-1:10: error[not-text] `a.yaml` is not UTF-8\n  a.yaml:1:10-1:10 \"\" the text cannot be read from here on\n  help: save the file as UTF-8, or name another file if this is no manifest\n"
    );
}

#[test]
fn places_say_where_each_field_was_written() {
    const BACKENDS: &str = "spec.redirectBackend.toPorts";
    let source = Source::new(
        "policies/a.yaml",
        address("spec:\n", "  annotations: {lrpc.dev/clients: pods}\nspec:\n"),
    );
    let options = Options::default();
    let examined = examine(vec![parse(&source)], &options);
    let plan = examined.plan().unwrap();
    let policy = plan.policies()[0].name.clone();
    let image = emit(plan, false);
    let places = image.places().unwrap();
    let at = |field: Field| {
        let place = places.find(&policy, &field.to_string()).unwrap();
        assert_eq!(&*place.file, "policies/a.yaml");
        let spot = examined.find(&FieldOf { policy: policy.clone(), field }).unwrap();
        let start = spot.source.position(spot.span.start);
        assert_eq!((start.line, start.column), (place.line, place.column));
        (place.line, place.column, place.end_line, place.end_column)
    };
    assert_eq!(at(Field::Fixed("metadata.name")), (4, 9, 4, 17));
    assert_eq!(at(Field::annotation("lrpc.dev/clients")), (6, 35, 6, 39));
    assert_eq!(at(Field::Fixed("spec.redirectFrontend.addressMatcher.ip")), (10, 11, 10, 28));
    assert_eq!(
        at(Field::Element("spec.redirectFrontend.addressMatcher.toPorts", 0, ".port")),
        (12, 17, 12, 23)
    );
    assert_eq!(at(Field::Element(BACKENDS, 0, ".protocol")), (20, 19, 20, 22));
    assert_eq!(at(Field::Element(BACKENDS, 0, ".name")), (19, 9, 19, 19));
    assert_eq!(at(Field::Fixed("spec.redirectBackend")), (14, 3, 14, 18));
    assert_eq!(
        at(Field::Key("spec.redirectBackend.localEndpointSelector.matchLabels", "app".into())),
        (17, 14, 17, 19)
    );
    assert!(emit(plan, true).places().is_none());
}
