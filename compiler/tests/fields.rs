//! What one value or one object shows by itself, with the caret under it.

mod support;

use support::{ADDRESS, SERVICE, address, headlines, report};

#[test]
fn the_guides_policies_are_right() {
    assert_eq!(report(ADDRESS), "");
    assert_eq!(report(SERVICE), "");
}

#[test]
fn a_port_without_quotes_is_a_wrong_type() {
    assert_eq!(
        report(&address("\"8080\"", "8080")),
        r#"a.yaml:11:17-11:21: error[wrong-type] `spec.redirectFrontend.addressMatcher.toPorts[0].port` must be a string, not an integer
  of default/redirect
  a.yaml:11:17-11:21 "8080" this is an integer
  help: put it in quotes: `"8080"`
"#
    );
}

#[test]
fn a_misspelt_field_is_not_missing_too() {
    assert_eq!(
        report(&address("localEndpointSelector", "localEndpointSelectors")),
        r#"a.yaml:14:5-14:27: error[unknown-field] `spec.redirectBackend` has no field `localEndpointSelectors`
  of default/redirect
  a.yaml:14:5-14:27 "localEndpointSelectors" unknown field
  help: did you mean `localEndpointSelector`?
"#
    );
    assert_eq!(
        headlines(&address("addressMatcher", "addresMatcher")),
        ["8:5 `spec.redirectFrontend` has no field `addresMatcher`: did you mean `addressMatcher`?"]
    );
}

#[test]
fn proposals_name_the_annotation_that_does_it() {
    let overridden = address(
        "    toPorts:\n      - port: \"80\"",
        "    overrideIP: 10.0.0.1\n    toPorts:\n      - port: \"80\"",
    );
    assert_eq!(
        headlines(&overridden),
        [
            "17:5 `spec.redirectBackend` has no field `overrideIP`: a proposal that no release has: remove it and annotate the policy with `lrpc.dev/backend-address` (L15)"
        ]
    );
    let nodes = address("spec:\n", "spec:\n  nodeSelector: {}\n");
    assert_eq!(
        headlines(&nodes),
        [
            "7:3 `spec` has no field `nodeSelector`: a proposal that no release has: remove it and annotate the policy with `lrpc.dev/nodes` (L7)"
        ]
    );
}

#[test]
fn a_missing_field_is_looked_for_in_its_object() {
    assert_eq!(
        headlines(&address("          protocol: TCP\n", "")),
        [
            "11:11 `spec.redirectFrontend.addressMatcher.toPorts[0].protocol` is missing: add it, for example `protocol: TCP`"
        ]
    );
    assert_eq!(
        headlines(&address("  name: redirect\n", "  name:\n")),
        ["4:3 `metadata.name` is missing: add it, for example `name: redirect`"]
    );
    assert_eq!(
        headlines("kind: CiliumLocalRedirectPolicy\n"),
        [
            "1:7 `apiVersion` is missing: add it, for example `apiVersion: cilium.io/v2`",
            "1:7 `metadata` is missing: add it, for example `metadata: {name: redirect, namespace: default}`",
            "1:7 `spec` is missing: add it, for example `spec: {redirectFrontend: …, redirectBackend: …}`",
        ]
    );
}

#[test]
fn types_have_their_fix() {
    let list = address(
        "      toPorts:\n        - port: \"8080\"\n          protocol: TCP\n",
        "      toPorts: {port: \"8080\", protocol: TCP}\n",
    );
    assert_eq!(
        headlines(&list),
        [
            "10:16 `spec.redirectFrontend.addressMatcher.toPorts` must be a list, not an object: make it a list of one element: begin it with `- `"
        ]
    );
    let flag = address("spec:\n", "spec:\n  skipRedirectFromBackend: \"true\"\n");
    assert_eq!(
        headlines(&flag),
        ["7:28 `spec.skipRedirectFromBackend` must be a boolean, not a string: write `true` without quotes"]
    );
    assert_eq!(
        headlines(&address("app: proxy", "app: yes")),
        [
            "16:14 `spec.redirectBackend.localEndpointSelector.matchLabels.app` must be a string, not a boolean: put it in quotes: `\"yes\"`"
        ]
    );
    assert_eq!(headlines(&address("spec:\n", "spec: []\nunused:\n")).len(), 2);
}

#[test]
fn every_wrong_port_says_how_to_write_it() {
    let port = |port: &str| headlines(&address("\"8080\"", &format!("\"{port}\""))).join("\n");
    assert_eq!(port("0"), "11:17 there is no port 0: ports go from 1 to 65535");
    assert_eq!(port("00"), "11:17 there is no port 0: ports go from 1 to 65535");
    assert_eq!(port("65536"), "11:17 there is no port `65536`: ports go from 1 to 65535");
    assert_eq!(
        port("010"),
        "11:17 the port `010` has two readings: write `\"10\"`, or `\"8\"` if the octal reading is meant"
    );
    assert_eq!(port("08"), "11:17 the port `08` has two readings: write `\"8\"`");
    assert_eq!(port("0x50"), "11:17 `0x50` is not a port: write `\"80\"`");
    assert_eq!(port(" 80"), "11:17 ` 80` is not a port: write `\"80\"`");
    assert_eq!(port("53/UDP"), "11:17 `53/UDP` is not a port: write `\"53\"`");
    assert_eq!(
        port("http"),
        "11:17 `http` is not a port: write the number here; a name goes into `name` beside it"
    );
    assert_eq!(port(""), "11:17 a port is empty: write one number from 1 to 65535 in decimal digits");
    assert_eq!(port("1e3"), "11:17 `1e3` is not a port: write `\"1000\"`");
    assert_eq!(port("07"), "11:17 the port `07` has a leading zero: write `\"7\"`");
    assert_eq!(port("0177777"), "11:17 the port `0177777` has two readings: write `\"65535\"`");
    assert_eq!(port("0200000"), "11:17 there is no port `0200000`: ports go from 1 to 65535");
    assert_eq!(port("-80"), "11:17 `-80` is not a port: ports go from 1 to 65535");
    assert!(
        report(&address("\"8080\"", "\"0080\""))
            .contains("80 to a reader; Cilium reads octal, fails and ignores the policy")
    );
    assert_eq!(
        port("60000"),
        "11:17 the CRD of Cilium refuses the port `60000`: lrpc redirects it; choose another port if the API server must accept the policy"
    );
    for legal in ["1", "59999", "61000", "65535"] {
        assert_eq!(port(legal), "");
    }
}

/// A port without quotes may be right in quotes, or not: what the help says to write is accepted.
#[test]
fn the_help_for_a_port_without_quotes_is_right() {
    let help = |port: &str| {
        let found = headlines(&address("\"8080\"", port)).join("\n");
        found.split_once("not a").unwrap().1.split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(help("010"), "write `\"10\"`, or `\"8\"` if the octal reading is meant");
    assert_eq!(help("0x50"), "write `\"80\"`");
    assert_eq!(help("1e3"), "write `\"1000\"`");
    assert_eq!(help("8_080"), "write `\"8080\"`");
    assert_eq!(help("80800"), "ports go from 1 to 65535");
    assert_eq!(help("0"), "ports go from 1 to 65535");
    assert_eq!(help("yes"), "write the number here; a name goes into `name` beside it");
}

#[test]
fn a_word_that_is_no_string_is_not_always_right_in_quotes() {
    let help = |from: &str, to: &str| {
        let found = headlines(&address(from, to)).join("\n");
        assert!(found.contains("must be a string"), "{found}");
        found.rsplit_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(
        help("protocol: TCP", "protocol: yes"),
        "write `TCP` or `UDP`; nothing else can be redirected"
    );
    assert_eq!(
        help("\"169.254.169.254\"", "1694"),
        "write an IPv4 or IPv6 address; for a Service use `serviceMatcher`"
    );
    let named = help("protocol: TCP", "protocol: TCP\n          name: 80");
    assert_eq!(named, "use 1 to 15 letters, digits and single `-` between them, with at least one letter");
    let annotated = |text: &str| help("spec:\n", &format!("  annotations: {{{text}}}\nspec:\n"));
    assert_eq!(annotated("lrpc.dev/shadow-service: yes"), "one of `\"true\"`, `\"false\"`");
    assert_eq!(annotated("lrpc.dev/fallback: 1"), "one of `\"original\"`, `\"drop\"`");
    assert!(
        annotated("lrpc.dev/backend-address: 169").starts_with("write the IPv4 or IPv6 address at which")
    );
    assert_eq!(help("app: proxy", "app: 1e3"), "`\"1e3\"`");
}

#[test]
fn what_is_empty_is_called_empty() {
    let first = |from: &str, to: &str| {
        let found = headlines(&address(from, to));
        found[0].split_once(' ').unwrap().1.split_once(": ").unwrap().0.to_owned()
    };
    assert_eq!(first("name: redirect", "name: ''"), "`metadata.name` is empty");
    assert_eq!(first("169.254.169.254", ""), "`spec.redirectFrontend.addressMatcher.ip` is empty");
    assert_eq!(first("protocol: TCP", "protocol: ''"), "a protocol is empty");
    assert_eq!(
        first("protocol: TCP", "protocol: TCP\n          name: ''"),
        "the name of an only port is empty"
    );
    assert_eq!(first("app: proxy", "'': proxy"), "the key of a label is empty");
    assert_eq!(first("spec:\n", "spec:\n  '': x\n"), "a field of `spec` has an empty name");
    assert_eq!(first("cilium.io/v2", "''"), "the `apiVersion` of a `CiliumLocalRedirectPolicy` is empty");
    let annotations = "  annotations: {lrpc.dev/fallback: ''}\nspec:\n";
    assert_eq!(first("spec:\n", annotations), "`lrpc.dev/fallback` is empty");
    let operator = "matchExpressions: [{key: app, operator: ''}]";
    assert_eq!(first("matchLabels:\n        app: proxy", operator), "an operator is empty");
}

#[test]
fn a_name_may_have_dots_where_it_is_a_subdomain() {
    let help = |from: &str, to: &str| headlines(&address(from, to)).join("\n");
    assert!(help("name: redirect", "name: a..b").contains("digits, `-` and `.`, with a letter"));
    assert!(help("namespace: default", "namespace: a.b").contains("digits and `-`, with a letter"));
}

#[test]
fn the_missing_namespace_of_a_service_is_the_policys_own() {
    let text = SERVICE
        .replace("      namespace: kube-system\n", "")
        .replace("namespace: kube-system", "namespace: dns");
    assert_eq!(
        headlines(&text),
        [
            "8:5 `spec.redirectFrontend.serviceMatcher.namespace` is missing: add it, for example `namespace: dns`"
        ]
    );
}

#[test]
fn every_wrong_address_says_how_to_write_it() {
    let ip = |ip: &str| headlines(&address("169.254.169.254", ip)).join("\n");
    assert_eq!(ip(" 10.0.0.1"), "9:11 ` 10.0.0.1` is not a plain IP address: write `10.0.0.1`");
    assert_eq!(
        ip("fe80::1%eth0"),
        "9:11 `fe80::1%eth0` is not a plain IP address: write `fe80::1`; a socket hook cannot tell zones apart"
    );
    assert_eq!(
        ip("10.0.0.0/8"),
        "9:11 `10.0.0.0/8` is not a plain IP address: a prefix cannot be redirected: write one address, and a policy for each other one"
    );
    assert_eq!(ip("10.0.0.1/32"), "9:11 `10.0.0.1/32` is not a plain IP address: write `10.0.0.1`");
    assert_eq!(ip("10.0.0.1/8"), "9:11 `10.0.0.1/8` is not a plain IP address: write `10.0.0.1`");
    assert_eq!(ip("0.0.0.0/0").matches("write `0.0.0.0`").count(), 0, "the next report would refuse it");
    assert_eq!(
        ip("::ffff:10.0.0.1"),
        "9:11 `::ffff:10.0.0.1` is not a plain IP address: write `10.0.0.1`; sockets that use the mapped form are redirected too"
    );
    assert_eq!(ip("[fd00::1]"), "9:11 `[fd00::1]` is not a plain IP address: write `fd00::1`");
    assert_eq!(
        ip("10.0.0.1:80"),
        "9:11 `10.0.0.1:80` is not a plain IP address: write `10.0.0.1` and put the port into `toPorts`"
    );
    assert_eq!(
        ip("[fd00::1]:80"),
        "9:11 `[fd00::1]:80` is not a plain IP address: write `fd00::1` and put the port into `toPorts`"
    );
    assert_eq!(ip("010.0.0.1"), "9:11 `010.0.0.1` is not a plain IP address: write `10.0.0.1`");
    assert_eq!(
        ip("kube-dns"),
        "9:11 `kube-dns` is not a plain IP address: write an IPv4 or IPv6 address; for a Service use `serviceMatcher`"
    );
    assert_eq!(
        ip("ff02::1"),
        "9:11 `ff02::1` is a multicast address, which cannot be redirected: name the address that the clients connect to"
    );
    assert_eq!(
        ip("0.0.0.0"),
        "9:11 `0.0.0.0` is the unspecified address, which cannot be redirected: name the address that the clients connect to"
    );
    assert_eq!(
        ip("255.255.255.255"),
        "9:11 `255.255.255.255` is the broadcast address, which cannot be redirected: name the address that the clients connect to"
    );
    assert_eq!(
        ip("::1"),
        "9:11 the frontend `::1` is a loopback address: use an address that nothing else owns, such as one of 169.254.0.0/16"
    );
    assert_eq!(ip("fd00::1"), "");
}

#[test]
fn selectors_are_checked_as_kubernetes_does() {
    let selector = |text: &str| headlines(&address("matchLabels:\n        app: proxy", text)).join("\n");
    let expressions = |text: &str| selector(&format!("matchExpressions: [{text}]"));
    assert_eq!(
        expressions("{key: app, operator: In, values: [a]}, {key: k8s:x, operator: DoesNotExist}"),
        ""
    );
    assert_eq!(
        expressions("{key: app, operator: in, values: [a]}"),
        "15:47 there is no operator `in`: did you mean `In`?"
    );
    assert_eq!(
        expressions("{key: app, operator: In, values: [a, 1]}"),
        "15:63 `spec.redirectBackend.localEndpointSelector.matchExpressions[0].values[1]` must be a string, not an integer: put it in quotes: `\"1\"`"
    );
    assert_eq!(
        expressions("{key: app, operator: NotIn}"),
        "15:47 the operator `NotIn` has no values: add `values`, or use `Exists` or `DoesNotExist`"
    );
    assert_eq!(
        expressions("{key: app, operator: Exists, values: [a]}"),
        "15:55 the operator `Exists` takes no values: remove `values`, or use `In`"
    );
    assert_eq!(
        expressions("{key: -app, operator: Exists}"),
        "15:32 `-app` cannot be the key of a label: use at most 63 letters, digits, `-`, `_` and `.`, if need be after a DNS name and `/`"
    );
    assert_eq!(
        selector("matchLabels: {}"),
        "15:7 `spec.redirectBackend.localEndpointSelector` selects every pod of the namespace: select the agent's pods by a label, for example `matchLabels: {app: agent}`"
    );
}

#[test]
fn annotations_of_others_are_theirs() {
    let annotated = |text: &str| {
        headlines(&address("spec:\n", &format!("  annotations:\n    {text}\nspec:\n"))).join("\n")
    };
    assert_eq!(annotated("example.com/any: thing"), "");
    assert_eq!(annotated("lrpc.dev/nodes: zone in (a,b),!gpu"), "");
    assert_eq!(annotated("lrpc.dev/clients: selector:app=x"), "");
    assert_eq!(
        annotated("lrpc.dev/node: a=b"),
        "7:5 there is no annotation `lrpc.dev/node`: did you mean `lrpc.dev/nodes`?"
    );
    assert_eq!(
        annotated("lrpc.dev/shadow-service: true"),
        "7:30 `metadata.annotations.lrpc.dev/shadow-service` must be a string, not a boolean: put it in quotes: `\"true\"`"
    );
    assert_eq!(
        annotated("lrpc.dev/fallback: Drop"),
        "7:24 `lrpc.dev/fallback` cannot be `Drop`: did you mean `drop`?"
    );
    assert_eq!(
        annotated("lrpc.dev/clients: 'selector:'"),
        "7:23 the selector of `lrpc.dev/clients` is empty: leave the annotation out to select everything"
    );
    assert_eq!(
        annotated("lrpc.dev/nodes: a in (b"),
        "7:26 the selector of `lrpc.dev/nodes` cannot be read: the bracket of a list is not closed: write it as `kubectl --selector` takes it, for example `app in (a,b),tier!=web,!legacy`"
    );
    assert_eq!(
        annotated("lrpc.dev/backend-address: fe80::1"),
        "7:31 `lrpc.dev/backend-address` cannot be `fe80::1`: let the agent listen on an address of 169.254.0.0/16 or fd00::/8, or leave the annotation out"
    );
    assert_eq!(
        annotated("lrpc.dev/backend-address: 169.254.1.1/16"),
        "7:31 `169.254.1.1/16` is not a plain IP address: write `169.254.1.1`"
    );
    assert_eq!(
        annotated("lrpc.dev/backend-address: agent"),
        "7:31 `agent` is not a plain IP address: write the IPv4 or IPv6 address at which the agent listens, such as `169.254.169.252`"
    );
}

/// The caret stands under the part that is wrong, where the value is written as it is read.
#[test]
fn the_wrong_part_of_a_selector_is_underlined() {
    let underlined = |text: &str| {
        let found = report(&address("spec:\n", &format!("  annotations: {{{text}}}\nspec:\n")));
        let line = found.lines().nth(2).unwrap();
        line.trim_start().split_once(' ').unwrap().1.trim_end_matches(" not a label selector").to_owned()
    };
    assert_eq!(underlined("lrpc.dev/nodes: zone is a"), r#""is""#);
    assert_eq!(underlined("lrpc.dev/nodes: 'zone is a'"), r#""is""#);
    assert_eq!(underlined("lrpc.dev/clients: \"selector:app=x, tier=b_\""), r#""b_""#);
    let escaped = r#"lrpc.dev/nodes: "zone\x20is a""#;
    assert_eq!(underlined(escaped), r#""\"zone\\x20is a\"""#);
}

/// A slip beside the field that it was meant to be is one too many.
#[test]
fn a_field_that_is_there_is_not_suggested() {
    let found = headlines(&address("spec:\n", "spce: {}\nspec:\n"));
    assert_eq!(found, ["6:1 a policy has no field `spce`: remove it: `spec` is there already"]);
}
