//! Rules between policies, and those that options decide (L1, L13, L14, L19).

mod support;

use lrpc_compiler::{Diagnostic, Level, MatcherKind, NamespaceRule, Options, Source, emit, examine, parse};
use lrpc_schema::diagnostic::{Code, Label, Nodes, Page, Severity, Spot};
use support::{ADDRESS, SERVICE, address, checked, headlines, headlines_of, rendered};

fn both(a: &str, b: &str) -> String {
    rendered(&checked(&[("b.yaml", b), ("a.yaml", a)], &Options::default()).diagnostics)
}

/// The DNS policy under another name, with these ports of the Service.
fn service(name: &str, ports: &str) -> String {
    let named = SERVICE.replace("nodelocaldns", name);
    named.replace(
        "      namespace: kube-system\n  redirectBackend",
        &format!("      namespace: kube-system\n      toPorts: [{ports}]\n  redirectBackend"),
    )
}

#[test]
fn one_address_spelled_differently_in_two_files_is_claimed_twice() {
    let a = address("169.254.169.254", "fd00::a");
    let b = a
        .replace("fd00::a", "FD00:0::000A")
        .replace("name: redirect", "name: other")
        .replace("namespace: default", "namespace: more");
    assert_eq!(
        both(&a, &b),
        r#"b.yaml:9:11-9:25: error[frontend-overlap] frontend `[fd00::a]:8080/TCP` is claimed twice
  of more/other
  b.yaml:9:11-9:25 "\"FD00:0::000A\"" claimed again here
  a.yaml:9:11-9:20 "\"fd00::a\"" first claimed here
  help: remove one of the two or give them different ports
"#
    );
    assert_eq!(both(&a, &b.replace("\"8080\"", "\"8081\"")), "");
}

#[test]
fn neither_clients_nor_nodes_make_claims_disjoint() {
    let annotated = |name: &str, zone: &str| {
        address(
            "name: redirect",
            &format!(
                "name: {name}\n  annotations: {{lrpc.dev/nodes: zone={zone}, lrpc.dev/clients: namespace}}"
            ),
        )
    };
    assert!(both(&annotated("a", "a"), &annotated("b", "b")).contains("error[frontend-overlap]"));
}

#[test]
fn an_all_ports_policy_claims_every_port_of_its_service() {
    let single = service("other", "{port: '53', protocol: UDP, name: dns}");
    let found = both(SERVICE, &single);
    assert!(found.contains("frontend `service:kube-system/kube-dns:53/UDP` is claimed twice"), "{found}");
    let found = both(&single, SERVICE);
    assert!(found.contains("frontend `service:kube-system/kube-dns:*` is claimed twice"), "{found}");
    assert_eq!(both(SERVICE, &SERVICE.replace("nodelocaldns", "other").replace("kube-dns", "more-dns")), "");
}

#[test]
fn disjoint_ports_of_one_service_are_a_warning() {
    let udp =
        service("udp", "{port: '53', protocol: UDP, name: dns}, {port: '54', protocol: UDP, name: dns}");
    let tcp = service(
        "tcp",
        "{port: '53', protocol: TCP, name: dns-tcp}, {port: '54', protocol: TCP, name: dns-tcp}",
    );
    let found = both(&udp, &tcp);
    assert!(found.starts_with("b.yaml:9:20-9:28: warning[cilium-conflict] two policies share the Service `kube-system/kube-dns`, which Cilium cannot do\n"), "{found}");
    assert!(found.contains("a.yaml:9:20-9:28 \"kube-dns\" the first policy\n"), "{found}");
}

#[test]
fn a_copied_policy_is_written_twice_and_nothing_more() {
    assert_eq!(
        both(ADDRESS, ADDRESS),
        r#"b.yaml:4:9-4:17: error[duplicate-policy] the policy `default/redirect` is written twice
  of default/redirect
  b.yaml:4:9-4:17 "redirect" written again here
  a.yaml:4:9-4:17 "redirect" first written here
  help: remove one of the two, or give it another name
"#
    );
}

#[test]
fn a_namespace_comes_from_the_manifest_or_the_option() {
    let absent = address("  namespace: default\n", "");
    assert_eq!(
        headlines(&absent),
        [
            "4:9 the policy `redirect` has no namespace: add `metadata.namespace`, or name one with `--namespace`"
        ]
    );
    let empty = address("namespace: default", "namespace: \"\"");
    assert_eq!(headlines(&empty), headlines(&absent));
    let options = Options { default_namespace: Some("team".into()), ..Options::default() };
    let plan = checked(&[("a.yaml", &empty)], &options).plan.unwrap();
    assert_eq!(plan.policies()[0].name.to_string(), "team/redirect");
    let plan = checked(&[("a.yaml", &absent)], &options).plan.unwrap();
    assert_eq!(plan.policies()[0].name.to_string(), "team/redirect");
    let plan = checked(&[("a.yaml", ADDRESS)], &options).plan.unwrap();
    assert_eq!(plan.policies()[0].name.to_string(), "default/redirect");
    let service = SERVICE.replacen("  namespace: kube-system\n", "", 1);
    assert_eq!(
        headlines_of(&checked(&[("a.yaml", &service)], &options).diagnostics),
        [
            "9:18 a policy of `team` cannot redirect a Service of `kube-system`: write `team` here, or move the policy to `kube-system`"
        ]
    );
}

#[test]
fn only_allowed_addresses_are_redirected_and_the_list_travels() {
    let allow = |nets: &[&str]| Options {
        allowed_addresses: Some(nets.iter().map(|net| net.parse().unwrap()).collect()),
        ..Options::default()
    };
    let plan = checked(&[("a.yaml", ADDRESS)], &allow(&["169.254.0.0/16"])).plan.unwrap();
    assert_eq!(emit(&plan, true).allowed_addresses().unwrap()[0].to_string(), "169.254.0.0/16");
    let refused = |options: &Options| headlines_of(&checked(&[("a.yaml", ADDRESS)], options).diagnostics);
    assert_eq!(
        refused(&allow(&["10.0.0.0/8", "fd00::/8"])),
        [
            "9:11 the address `169.254.169.254` may not be redirected: allowed are `10.0.0.0/8`, `fd00::/8`; extend `allowed-addresses` in `lrpc.toml` or give `--allow-address`"
        ]
    );
    assert_eq!(
        refused(&allow(&[])),
        [
            "9:11 the address `169.254.169.254` may not be redirected: no address is allowed; extend `allowed-addresses` in `lrpc.toml` or give `--allow-address`"
        ]
    );
    assert!(checked(&[("a.yaml", SERVICE)], &allow(&[])).plan.is_some(), "the list is about addresses");
}

#[test]
fn a_namespace_redirects_what_its_table_allows() {
    let refused = |text: &str, table: &str, rule: NamespaceRule| {
        let options = Options { namespaces: [(table.to_owned(), rule)].into(), ..Options::default() };
        headlines_of(&checked(&[("a.yaml", text)], &options).diagnostics).join("\n")
    };
    let matchers = |kind| NamespaceRule { matchers: Some(vec![kind]), ..NamespaceRule::default() };
    let services =
        |name: &str| NamespaceRule { services: Some(vec![name.to_owned()]), ..NamespaceRule::default() };
    let addresses =
        |net: &str| NamespaceRule { addresses: Some(vec![net.parse().unwrap()]), ..NamespaceRule::default() };
    assert_eq!(
        refused(ADDRESS, "*", matchers(MatcherKind::Service)),
        "9:11 policies of `default` may not redirect addresses: `lrpc.toml` forbids it: see `matchers` in `[namespaces.\"*\"]`"
    );
    assert_eq!(
        refused(ADDRESS, "default", addresses("10.0.0.0/8")),
        "9:11 policies of `default` may not redirect `169.254.169.254`: `lrpc.toml` forbids it: see `addresses` in `[namespaces.default]`"
    );
    assert_eq!(
        refused(SERVICE, "kube-system", services("other")),
        "9:20 policies of `kube-system` may not redirect the Service `kube-dns`: `lrpc.toml` forbids it: see `services` in `[namespaces.kube-system]`"
    );
    assert_eq!(
        refused(SERVICE, "kube-system", matchers(MatcherKind::Address)),
        "9:20 policies of `kube-system` may not redirect Services: `lrpc.toml` forbids it: see `matchers` in `[namespaces.kube-system]`"
    );
    assert_eq!(refused(SERVICE, "kube-system", services("kube-dns")), "");
    assert_eq!(refused(ADDRESS, "other", matchers(MatcherKind::Service)), "");
}

#[test]
fn severities_and_comments_act_on_warnings_only() {
    let warned = address(
        "    localEndpointSelector:\n      matchLabels:\n        app: proxy\n",
        "    localEndpointSelector: {} # lrpc: allow(empty-selector) agents only\n",
    );
    assert_eq!(headlines(&warned), [""; 0]);
    let unsilenced = warned.replace(" # lrpc: allow(empty-selector) agents only", "");
    let level =
        |code: &str, level| Options { severities: [(code.to_owned(), level)].into(), ..Options::default() };
    let found = |text: &str, options| {
        let found = checked(&[("a.yaml", text)], &options);
        (found.diagnostics.len(), found.plan.is_some())
    };
    assert_eq!(found(&unsilenced, Options::default()), (1, true));
    assert_eq!(found(&unsilenced, level("empty-selector", Level::Off)), (0, true));
    assert_eq!(found(&unsilenced, level("empty-selector", Level::Error)), (1, false));
    assert_eq!(found(&warned, level("empty-selector", Level::Error)), (0, true));
    assert_eq!(found(&address("\"8080\"", "\"0\""), level("port-zero", Level::Off)), (1, false));
    let error = address("\"8080\"", "\"0\" # lrpc: allow(port-zero) no");
    assert_eq!(headlines(&error), ["11:17 there is no port 0: ports go from 1 to 65535"]);
}

/// What others find in the plan is allowed, made an error and sorted in as the compiler's own (L3).
#[test]
fn findings_of_others_settle_with_the_rest() {
    let (code, severity) = (Code::new("no-pod"), Severity::Warning);
    let foreign = Page { code, severity, summary: "", since: "0.1.0", page: "" };
    let mut options = Options { foreign_pages: vec![foreign], ..Options::default() };
    let text = address("localEndpointSelector:", "localEndpointSelector: # lrpc: allow(no-pod) later");
    let settled = |text: &str, found: Option<&str>, options: &Options| {
        let source = Source::new("a.yaml", text);
        let examined = examine(vec![parse(&source)], options);
        let diagnostic = |at: &str| {
            let start = text.find(at).unwrap();
            let at = Spot { source: source.clone(), span: start..start + 1 };
            let primary = Some(Label { at, message: String::new() });
            let nodes = Some(Nodes { names: vec!["n1".to_owned()], count: 1 });
            Diagnostic { primary, nodes, ..foreign.report("no pod") }.help("start one")
        };
        let plan = examined.plan().is_some();
        let checked =
            examined.settle(found.map(|at| if at.is_empty() { vec![] } else { vec![diagnostic(at)] }));
        let nodes: Vec<_> = checked.diagnostics.iter().map(|found| found.nodes.is_some()).collect();
        (headlines_of(&checked.diagnostics), nodes, plan, checked.plan.is_some())
    };
    let unused = "14:28 the allow of `no-pod` silences nothing: remove the comment, or put it on the line that the warning points at or the line above";
    assert_eq!(settled(&text, Some("localEnd"), &options), (vec![], vec![], true, true));
    assert_eq!(settled(&text, None, &options), (vec![], vec![], true, true), "nobody looked");
    assert_eq!(settled(&text, Some(""), &options), (vec![unused.to_owned()], vec![false], true, true));

    let empty = address("matchLabels:\n        app: proxy", "matchLabels: {}");
    let (found, nodes, ..) = settled(&empty, Some("ip:"), &options);
    assert_eq!((found[0].as_str(), nodes), ("9:7 no pod: start one", vec![true, false]));

    options.severities.insert("no-pod".to_owned(), Level::Error);
    let (found, _, linked, sound) = settled(ADDRESS, Some("ip:"), &options);
    assert_eq!((found.len(), linked, sound), (1, true, false), "an error leaves no plan");
}

#[test]
fn an_allow_that_silences_nothing_says_why() {
    let allow = |code: &str| {
        headlines(&address("app: proxy", &format!("app: proxy # lrpc: allow({code}) x"))).join("\n")
    };
    assert_eq!(
        allow("empty-selector"),
        "16:20 the allow of `empty-selector` silences nothing: remove the comment, or put it on the line that the warning points at or the line above"
    );
    assert_eq!(
        allow("port-zero"),
        "16:20 the allow of `port-zero` silences nothing: `port-zero` is an error, and only warnings can be silenced"
    );
    assert_eq!(
        allow("emtpy-selector"),
        "16:20 the allow of `emtpy-selector` silences nothing: no diagnostic has this code; did you mean `empty-selector`?"
    );
    let no_reason = address("app: proxy", "app: proxy # lrpc: allow(empty-selector)");
    assert_eq!(
        headlines(&no_reason),
        ["16:20 an allow of `empty-selector` gives no reason: write `# lrpc: allow(empty-selector) reason`"]
    );
}

/// A service policy names its namespace already (R3); followed, the remedy is clean.
#[test]
fn a_missing_namespace_is_the_one_of_the_service_matcher() {
    let text = SERVICE.replacen("  namespace: kube-system\n", "", 1);
    let found = headlines(&text).join("\n");
    let help = "add `namespace: kube-system` to `metadata`, as the serviceMatcher has it, or pass `--namespace kube-system`";
    assert!(found.ends_with(help), "{found}");
    let options = Options { default_namespace: Some("kube-system".into()), ..Options::default() };
    assert_eq!(checked(&[("a.yaml", &text)], &options).diagnostics.len(), 0);
    assert!(
        headlines(&address("  namespace: default\n", "")).join("\n").ends_with("name one with `--namespace`")
    );
}
