//! Findings as reports read them: their words, their pages, and many nodes in one.

use std::collections::BTreeSet;

use lrpc_linker::findings::across;
use lrpc_linker::inventory::Builder;
use lrpc_linker::{Linker, PAGES};
use lrpc_schema::diagnostic::Severity;
use lrpc_schema::image::{Fallback, Image, Policy};
use serde_json::{Value, json};

use super::world::*;

/// Each page has the sections that `explain` promises, and examples whose inventories are whole.
#[test]
fn pages_are_complete() {
    let codes: Vec<_> = PAGES.iter().map(|page| page.code).collect();
    assert!(codes.is_sorted() && codes.len() == codes.iter().collect::<BTreeSet<_>>().len(), "{codes:?}");
    for page in PAGES {
        let code = page.code.as_str();
        assert!(page.page.starts_with(&format!("# {code}\n")), "{code}");
        for section in ["What it means", "Why it matters", "Example", "Remedy"] {
            assert!(page.page.contains(&format!("\n## {section}\n")), "{code}: {section}");
        }
        assert!(page.page.contains("\nRight"), "{code}");
        assert_eq!(page.page.matches("```yaml policy\n").count(), 2, "{code}");
        let inventories: Vec<_> = page.page.split("```yaml inventory\n").skip(1).collect();
        assert_eq!(inventories.len(), 2, "{code}");
        for inventory in inventories {
            let mut builder = Builder::default();
            builder.add(code, inventory.split("```").next().unwrap()).unwrap();
            assert!(builder.problems().is_empty() && builder.build().nodes().len() > 0, "{code}");
        }
        assert!(!page.summary.ends_with('.') && page.summary.len() <= 80, "{code}");
    }
}

/// Issue 5: what is taken from a Service or from a pod without identity is an error, all else a warning.
#[test]
fn severities() {
    let errors: Vec<_> =
        PAGES.iter().filter(|page| page.severity == Severity::Error).map(|page| page.code).collect();
    assert_eq!(errors, ["address-owned-by-service", "backend-not-identified"]);
}

/// The words that a report shows, one line each.
#[test]
fn headlines() {
    let to_80 = address("10.96.0.1", &["80/TCP"], &["80/TCP"]);
    let headline = |policy: &Policy, objects: &[Value]| {
        let finding = link([policy], objects).findings.pop().unwrap();
        assert!(!finding.message.contains('\n') && finding.help.is_some());
        format!("{}: {}", finding.primary.unwrap().at.field, finding.message)
    };
    let web = svc(&["10.96.0.1"], &["80/TCP"]);
    assert_eq!(
        headline(&to_80, &[web]),
        "spec.redirectFrontend.addressMatcher.toPorts[0].port: frontend `10.96.0.1:80/TCP` is a cluster address \
         of Service `default/s`"
    );
    assert_eq!(
        headline(&to_80, &[]),
        "spec.redirectBackend.localEndpointSelector: selector `app=x` matches no local pod in namespace `default`"
    );
    assert_eq!(
        headline(&to_80, &[pod("a", &["10.0.0.1"], &["81/TCP"])]),
        "spec.redirectBackend.toPorts[0].port: no ready pod declares the port 80/TCP"
    );
    assert_eq!(
        headline(&to_80, &[pod("a", &["10.0.0.1"], &["80/UDP"])]),
        "spec.redirectBackend.toPorts[0].protocol: no ready pod declares port 80 for TCP"
    );
    assert_eq!(
        headline(&to_80, &[pod("a", &["fd00::1"], &["80/TCP"])]),
        "spec.redirectFrontend.addressMatcher.ip: no ready pod has an IPv4 address for frontend address \
         `10.96.0.1`"
    );
    let foreign = with(svc(&["10.96.0.1"], &["80/TCP"]), "/metadata/namespace", "other");
    let linked = link(&[service(&["80/TCP"], &["80/TCP"])], &[foreign]);
    let missing = linked.findings.iter().find(|finding| finding.code == "service-missing").unwrap();
    assert_eq!(missing.message, "there is no Service `default/s`");
    assert!(missing.help.as_ref().unwrap().ends_with("there is `other/s`"));
}

/// What a Service owns a frontend as is named, with its article (L1).
#[test]
fn owners_are_named() {
    let message = |pointer: &str, value: Value| {
        let to_80 = address("192.0.2.7", &["80/TCP"], &["80/TCP"]);
        let web = with(with(svc(&["10.96.0.1"], &["80/TCP"]), "/spec/type", "LoadBalancer"), pointer, value);
        let findings = link([&to_80], &[web]).findings;
        findings.into_iter().find(|finding| finding.code == "address-owned-by-service").unwrap().message
    };
    assert_eq!(
        message("/spec/externalIPs", json!(["192.0.2.7"])),
        "frontend `192.0.2.7:80/TCP` is an external address of Service `default/s`"
    );
    assert_eq!(
        message("/status/loadBalancer", json!({"ingress": [{"ip": "192.0.2.7"}]})),
        "frontend `192.0.2.7:80/TCP` is a load-balancer address of Service `default/s`"
    );
}

/// Pods that have finished are there, and serve nothing (L9).
#[test]
fn finished_pods_are_not_called_missing() {
    let policy = address("169.254.20.10", &["80/TCP"], &["80/TCP"]);
    let done = with(pod("a", &["10.0.0.1"], &["80/TCP"]), "/status/phase", "Succeeded");
    let linked =
        check([&policy], &[done], &["169.254.20.10:80/TCP original no-ready-backend"], &["no-ready-pod"]);
    let help = linked.findings[0].help.as_ref().unwrap();
    assert!(help.starts_with("the selected pods have finished") && help.ends_with("`default/a`"), "{help}");
}

#[test]
fn one_port_stays_and_two_stay() {
    let help = |ports: &[&str]| {
        let linked =
            link([service(&[], &["53/UDP"])], &[svc(&["10.96.0.1"], ports), pod("a", &["10.0.0.1"], &[])]);
        linked.findings.into_iter().find(|finding| finding.code == "port-not-served").unwrap().help.unwrap()
    };
    assert!(help(&["53/UDP", "80/TCP"]).starts_with("`80/TCP` stays with"));
    assert!(help(&["53/UDP", "80/TCP", "81/TCP"]).starts_with("`80/TCP`, `81/TCP` stay with"));
}

/// Over many nodes a finding is reported once, with at most ten of its nodes; "no ready pod" and
/// "selector matches nothing" only when true on every selected node.
#[test]
fn findings_of_many_nodes() {
    let image = |policy: Policy| Image::seal(vec![policy], None, None);
    let merged = |policy: Policy, objects: &[Value]| {
        let (image, inventory) = (image(policy), inventory(objects));
        let linker = Linker::new(&image, &inventory, None);
        let nodes =
            inventory.nodes().map(|node| (node.name.to_string(), linker.link(&node.name).unwrap().findings));
        across(&linker, nodes)
            .into_iter()
            .map(|merged| {
                let nodes = merged.nodes.as_ref();
                let named = nodes.map_or(0, |nodes| nodes.names.len());
                (merged.code.as_str(), named, nodes.map_or(0, |nodes| nodes.count))
            })
            .collect::<Vec<_>>()
    };
    let nodes: Vec<_> = (0..12).map(|number| node(&format!("n{number}"), &[])).collect();
    let policy = address("169.254.20.10", &["80/TCP"], &["80/TCP"]);
    assert_eq!(merged(policy.clone(), &nodes), [("selector-matches-nothing", 10, 12)]);

    let on = |node: &str, pod| with(pod, "/spec/nodeName", node);
    let good = on("n0", pod("a", &["10.0.0.1"], &["80/TCP"]));
    let good = [&nodes[..], &[good]].concat();
    assert_eq!(merged(policy.clone(), &good), [("some-nodes-empty", 10, 11)]);
    let drop = Policy { fallback: Fallback::Drop, ..policy.clone() };
    assert_eq!(merged(drop, &good), [], "it refuses, and says so");
    let to_service = service(&["80/TCP"], &["80/TCP"]);
    let objects = [&good[..], &[svc(&["10.96.0.1"], &["80/TCP"])]].concat();
    assert_eq!(merged(to_service, &objects), [], "a Service has other pods");
    let everywhere = Policy { nodes: Some(selector("kubernetes.io/hostname=n0")), ..policy.clone() };
    assert_eq!(merged(everywhere, &good), []);

    let wrong =
        [on("n0", pod("a", &["10.0.0.1"], &["81/TCP"])), on("n3", pod("b", &["10.0.0.2"], &["82/TCP"]))];
    assert_eq!(merged(policy.clone(), &[&nodes[..], &wrong].concat()), [("container-port-missing", 2, 2)]);

    let idle = [on("n3", unready(pod("a", &["10.0.0.1"], &["80/TCP"])))];
    assert_eq!(merged(policy.clone(), &[&nodes[..], &idle].concat()), [("no-ready-pod", 1, 1)]);

    let nowhere = Policy { nodes: Some(selector("kubernetes.io/hostname=n99")), ..policy.clone() };
    assert_eq!(merged(nowhere.clone(), &nodes), [("no-selected-node", 0, 0)]);
    assert_eq!(merged(nowhere, &[]), [], "an inventory without Nodes says nothing about them");

    let here = Policy { nodes: Some(selector("kubernetes.io/hostname=n3")), ..policy };
    assert_eq!(merged(here, &nodes), [("selector-matches-nothing", 1, 1)]);
}
