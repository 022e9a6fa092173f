//! What `trace` makes of connections: each rule that can decide, each source, and that no trace says
//! anything else than its row.

use std::collections::BTreeSet;

use lrpc_linker::flow::Flow;
use lrpc_linker::inventory::Pod;
use lrpc_linker::mapset::{MapSet, Reason as RowReason, Row, State};
use lrpc_linker::trace::{Decision, Reason, SourceError, Trace, trace};
use lrpc_schema::image::{Clients, Fallback, Image, Policy, Protocol};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::properties::{config, world};
use super::world::*;

const FRONTEND: &str = "169.254.20.10:80";

/// `169.254.20.10:80` to port 80 of the pods labelled `app: x`, whose own traffic is left alone.
fn to_80() -> Policy {
    address("169.254.20.10", &["80/TCP"], &["80/TCP"])
}

/// The backend `a`, another pod `b` of the namespace, a pod `c` of another one, and the host-network `h`.
fn pods() -> Vec<Value> {
    vec![
        pod("a", &["10.0.0.1"], &["80/TCP"]),
        with(pod("b", &["10.0.0.2"], &[]), "/metadata/labels/app", "y"),
        with(with(pod("c", &["10.0.0.3"], &[]), "/metadata/namespace", "other"), "/metadata/labels/app", "y"),
        with(
            with(pod("h", &["192.0.2.1"], &[]), "/spec/hostNetwork", json!(true)),
            "/metadata/labels/app",
            "y",
        ),
    ]
}

/// The decision on `n1`, as `STATE REASON RULES`.
#[track_caller]
fn check(policy: &Policy, objects: &[Value], source: &str, expected: &str) {
    let image = Image::seal(vec![policy.clone()], None, None);
    let objects = [&[node("n1", &["192.0.2.1"])], objects].concat();
    let inventory = inventory(&objects);
    let map_set = lrpc_linker::link(&image, &inventory, "n1", None).unwrap().map_set;
    let flow: Flow = format!("tcp from {source} to {FRONTEND}").parse().unwrap();
    let traced = trace(&image, &inventory, "n1", &map_set, &flow).unwrap();
    let reason = traced.reason().map_or("-".to_owned(), |reason| reason.to_string());
    let found = format!("{} {reason} {}", traced.state(), rules(&traced).join(" "));
    assert_eq!(found, expected, "from {source}: {:#?}", traced.steps);
}

fn rules(trace: &Trace<'_>) -> Vec<&'static str> {
    trace.steps.iter().map(|step| step.rule.as_str()).collect()
}

/// L18, to the end: a usable backend, or what L5 says.
#[test]
fn l05_a_backend_or_the_fallback() {
    let mut policy = to_80();
    check(&policy, &pods(), "default/b", "redirect - L7 L6 L8 L5");
    let others = &pods()[1..];
    check(&policy, others, "default/b", "original no-ready-backend L7 L6 L8 L5");
    policy.fallback = Fallback::Drop;
    check(&policy, others, "default/b", "drop no-ready-backend L7 L6 L8 L5");
    let deaf = [&[pod("a", &["10.0.0.1"], &["81/TCP"])], others].concat();
    check(&policy, &deaf, "default/b", "drop no-usable-backend L7 L6 L8 L5");
    let nameless = [&[with(pod("a", &["10.0.0.1"], &[]), "/metadata/uid", "")], others].concat();
    check(&policy, &nameless, "default/b", "drop backend-not-identified L7 L6 L8 L5");
}

/// The fallback does not cover what the policy does not serve (L5), so it does not drop.
#[test]
fn l04_a_port_that_is_not_served_is_let_through() {
    let mut policy = service(&[], &["80/TCP a", "81/TCP b"]);
    policy.fallback = Fallback::Drop;
    let objects = [pods(), vec![svc(&["169.254.20.10"], &["80/TCP c"])]].concat();
    check(&policy, &objects, "host", "original port-not-served L7 L6 L8 L5");
}

#[test]
fn l07_the_node_comes_first() {
    let mut policy = to_80();
    policy.nodes = Some(selector("kubernetes.io/hostname=n2"));
    policy.clients = Clients::Pods;
    check(&policy, &pods(), "host", "original node-not-selected L7");
    policy.nodes = Some(selector("kubernetes.io/hostname=n1"));
    check(&policy, &pods(), "host", "original client-not-selected L7 L6");
}

#[test]
fn l01_a_services_address_is_left_alone() {
    let objects = [pods(), vec![svc(&["169.254.20.10"], &["80/TCP"])]].concat();
    check(&to_80(), &objects, "default/b", "original address-owned-by-service L7 L1");
    let mut shadowing = to_80();
    shadowing.shadow_service = true;
    check(&shadowing, &objects, "default/b", "redirect - L7 L6 L8 L5");
}

/// Who is a client; a hostNetwork pod is a pod, but not of the pod network. A policy that drops drops for its clients only (L18).
#[test]
fn l06_only_clients_are_redirected() {
    let (yes, no) = ("redirect - L7 L6 L8 L5", "original client-not-selected L7 L6");
    for fallback in [Fallback::Original, Fallback::Drop] {
        for (clients, selected) in [
            (Clients::All, ["host", "default/b", "other/c", "default/h"].as_slice()),
            (Clients::Pods, &["default/b", "other/c"]),
            (Clients::AllPods, &["default/b", "other/c", "default/h"]),
            (Clients::Namespace, &["default/b", "default/h"]),
            (Clients::Selector(selector("app=z")), &[]),
            (Clients::Selector(selector("app=y")), &["default/b", "default/h"]),
        ] {
            let policy = Policy { clients, fallback, ..to_80() };
            for source in ["host", "default/b", "other/c", "default/h"] {
                let is_client = selected.contains(&source);
                check(&policy, &pods(), source, if is_client { yes } else { no });
                // L6 speaks before L5, also where no row has a list of clients.
                let unserved = match fallback {
                    _ if !is_client => no,
                    Fallback::Original => "original no-ready-backend L7 L6 L8 L5",
                    Fallback::Drop => "drop no-ready-backend L7 L6 L8 L5",
                };
                check(&policy, &pods()[1..], source, unserved);
            }
        }
    }
}

/// A backend's own traffic is left alone, ready or not, and also where others are refused.
#[test]
fn l08_own_traffic_is_left_alone() {
    let own = "original own-traffic L7 L6 L8";
    let mut policy = to_80();
    check(&policy, &pods(), "default/a", own);
    let mut starting = pods();
    starting[0] = unready(starting[0].take());
    check(&policy, &starting, "default/a", own);
    policy.fallback = Fallback::Drop;
    check(&policy, &starting, "default/a", own);
    check(&policy, &starting, "default/b", "drop no-ready-backend L7 L6 L8 L5");
    policy.skip = false;
    check(&policy, &pods(), "default/a", "redirect - L7 L6 L8 L5");
}

/// Nothing is exempt from its own host: a hostNetwork backend's address is the host's.
#[test]
fn a_nodes_address_is_the_host() {
    let objects = [with(pod("a", &["192.0.2.1"], &[]), "/spec/hostNetwork", json!(true))];
    check(&to_80(), &objects, "default/a", "original own-traffic L7 L6 L8");
    check(&to_80(), &objects, "192.0.2.1", "redirect - L7 L6 L8 L5");
}

/// Asks who a source is by a policy that redirects pods only.
#[test]
fn an_address_is_the_pod_that_has_it() {
    let policy = Policy { clients: Clients::Pods, ..to_80() };
    let finished = with(pod("done", &["10.0.0.2"], &[]), "/status/phase", "Succeeded");
    let elsewhere = with(pod("far", &["10.0.0.2"], &[]), "/spec/nodeName", "n2");
    let objects = [pods(), vec![finished, elsewhere]].concat();
    check(&policy, &objects, "10.0.0.2", "redirect - L7 L6 L8 L5");
    check(&policy, &objects, "10.0.0.1", "original own-traffic L7 L6 L8");
    check(&policy, &objects, "192.0.2.1", "original client-not-selected L7 L6");
}

#[test]
fn a_source_that_is_not_there_is_refused() {
    let unscheduled = json!({"kind": "Pod", "metadata": {"name": "u", "namespace": "default"}});
    let finished = with(pod("done", &["10.0.0.9"], &[]), "/status/phase", "Failed");
    let far = with(pod("far", &["10.0.0.4"], &[]), "/spec/nodeName", "n2");
    let far_host =
        with(with(pod("fh", &["192.0.2.3"], &[]), "/spec/nodeName", "n3"), "/spec/hostNetwork", true);
    let (one, other) = (pod("one", &["10.0.0.5"], &[]), pod("other", &["10.0.0.5"], &[]));
    let nodes = [node("n1", &["192.0.2.1"]), node("n2", &["192.0.2.2"])];
    let objects = [nodes.to_vec(), vec![unscheduled, finished, far, far_host, one, other]].concat();
    let (image, inventory) = (Image::seal(vec![to_80()], None, None), inventory(&objects));
    for (source, message, help) in [
        ("default/x", "pod `default/x` is not in the inventory", "kubectl get pods"),
        ("default/u", "pod `default/u` is not scheduled on a node yet", "dump"),
        ("default/done", "pod `default/done` has finished and opens no connections", "runs"),
        ("default/far", "pod `default/far` is on node `n2`, not on `n1`", "--node n2"),
        ("10.0.0.4", "pod `default/far` is on node `n2`, not on `n1`", "--node n2"),
        ("192.0.2.2", "address 192.0.2.2 is on node `n2`, not on `n1`", "--node n2"),
        ("192.0.2.3", "address 192.0.2.3 is on node `n3`, not on `n1`", "--node n3"),
        ("10.0.0.9", "no pod and no node of the inventory has the address 10.0.0.9", "host"),
        (
            "10.0.0.5",
            "pods `default/one` and `default/other` both have the address 10.0.0.5",
            "NAMESPACE/NAME",
        ),
    ] {
        let flow: Flow = format!("tcp from {source} to {FRONTEND}").parse().unwrap();
        let error = trace(&image, &inventory, "n1", &MapSet::default(), &flow).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(error.help().contains(help), "{}", error.help());
    }
}

/// The look-up is exact (D2); what else the address has is named, and only the first of it.
#[test]
fn d02_another_frontend_is_none() {
    let ports = ["81/TCP", "82/TCP", "83/TCP", "84/TCP", "85/UDP"];
    for (count, also) in [
        (0, "no policy speaks of `169.254.20.10:80/TCP` on this node"),
        (1, ", but of `169.254.20.10:81/TCP`"),
        (3, ":81/TCP`, `169.254.20.10:82/TCP`, `169.254.20.10:83/TCP`"),
        (5, "`169.254.20.10:83/TCP` and 2 more"),
    ] {
        let policy = address("169.254.20.10", &ports[..count], &["80/TCP"]);
        let linked =
            link(&[policy.clone(), named("q", address("169.254.169.253", &["80/TCP"], &[]))], &pods());
        let flow: Flow = format!("tcp from host to {FRONTEND}").parse().unwrap();
        let (image, inventory) = (Image::seal(vec![policy], None, None), inventory(&[node("n1", &[])]));
        let traced = trace(&image, &inventory, "n1", &linked.map_set, &flow).unwrap();
        assert_eq!(traced.decision, Decision::Original(Reason::NoFrontend));
        assert_eq!((traced.row, rules(&traced)), (None, vec!["D2"]));
        assert!(traced.steps[0].why.ends_with(also), "{}", traced.steps[0].why);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases / 10, ..config() })]

    /// Over every client and every row of a world: a trace is its row, but for clients that L6 or L8 leaves
    /// alone, and these are the ones that the row lists.
    #[test]
    fn a_trace_agrees_with_its_row(bytes in prop::collection::vec(any::<u8>(), 40..160)) {
        let (policies, objects, narrow) = world(&bytes);
        let (image, inventory) = (Image::seal(policies.clone(), None, None), inventory(&objects));
        let map_set = lrpc_linker::link(&image, &inventory, "n1", narrow.as_deref()).unwrap().map_set;
        let pods = inventory.pods().map(|pod| (pod.reference.to_string(), Some(pod)));
        for (source, pod) in pods.chain([("host".to_owned(), None)]) {
            for row in map_set.rows() {
                let to = row.frontend;
                let text = format!(
                    "{} from {source} to {}",
                    if to.protocol == Protocol::Tcp { "tcp" } else { "udp" },
                    std::net::SocketAddr::new(to.address, to.port.get()),
                );
                let traced = trace(&image, &inventory, "n1", &map_set, &text.parse().unwrap());
                if let Some(pod) = pod
                    && (pod.finished || pod.node.as_deref() != Some("n1"))
                {
                    let refused =
                        matches!(traced, Err(SourceError::Finished { .. } | SourceError::Elsewhere { .. }));
                    prop_assert!(refused, "{}", text);
                    continue;
                }
                let traced = traced.unwrap();
                prop_assert_eq!(traced.row, Some(row));
                let policy = policies.iter().find(|policy| policy.name == row.policy).unwrap();
                let labels = |pod: &Pod, selector: &lrpc_schema::image::Selector| {
                    *pod.reference.namespace == *policy.name.namespace && selector.matches(&pod.labels)
                };
                let is_client = match (&policy.clients, pod) {
                    (Clients::All, _) | (Clients::AllPods, Some(_)) => true,
                    (Clients::Pods, Some(pod)) => !pod.host_network,
                    (Clients::Namespace, Some(pod)) => *pod.reference.namespace == *policy.name.namespace,
                    (Clients::Selector(selector), Some(pod)) => labels(pod, selector),
                    (_, None) => false,
                };
                let is_exempt = policy.skip && pod.is_some_and(|pod| labels(pod, &policy.backend.selector));
                agrees(&traced, row, is_client, is_exempt)?;
                if let Some(pod) = pod.filter(|_| row.state() != State::Original) {
                    prop_assert_eq!(row.skip.contains(&pod.reference), is_exempt);
                    prop_assert_eq!(is_known(row, pod), is_client);
                }
            }
        }
    }
}

/// What the data path makes of a pod by its row (L6).
fn is_known(row: &Row, pod: &Pod) -> bool {
    match row.clients {
        Clients::All | Clients::AllPods => true,
        Clients::Pods => !pod.host_network,
        Clients::Namespace | Clients::Selector(_) => {
            let is_listed = row.client_pods.contains(&pod.reference);
            // Where the policy drops, the list names those that are none.
            if row.fallback == Fallback::Drop { !is_listed } else { is_listed }
        }
    }
}

/// L18, once more and backwards: what stands first overrules what stands behind it.
fn agrees(traced: &Trace<'_>, row: &Row, is_client: bool, is_exempt: bool) -> Result<(), TestCaseError> {
    let mut expected = (row.state(), row.reason().map(Reason::Row), vec!["L7", "L6", "L8", "L5"]);
    if is_exempt {
        expected = (State::Original, Some(Reason::OwnTraffic), vec!["L7", "L6", "L8"]);
    }
    if !is_client {
        expected = (State::Original, Some(Reason::ClientNotSelected), vec!["L7", "L6"]);
    }
    for (reason, rules) in [
        (RowReason::AddressNotAllowed, vec!["L7", "L14"]),
        (RowReason::AddressOwnedByService, vec!["L7", "L1"]),
        (RowReason::NodeNotSelected, vec!["L7"]),
    ] {
        if row.reason() == Some(reason) {
            expected = (State::Original, Some(Reason::Row(reason)), rules);
        }
    }
    let (state, reason, asked) = expected;
    prop_assert_eq!((traced.state(), traced.reason()), (state, reason), "{:#?}", traced);
    prop_assert_eq!(rules(traced), asked);
    let candidates: &[_] = if state == State::Redirect { row.backends() } else { &[] };
    prop_assert_eq!(traced.backends(), candidates);
    prop_assert!(traced.steps.iter().all(|step| !step.why.contains('\n') && !step.why.is_empty()));
    Ok(())
}

/// The worlds are worth the tracing: every decision and every reason is met.
#[test]
fn the_worlds_meet_every_decision() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(any::<u8>(), 40..160);
    let mut met = BTreeSet::new();
    for _ in 0..1_000 {
        let (policies, objects, narrow) = world(&strategy.new_tree(&mut runner).unwrap().current());
        let (image, inventory) = (Image::seal(policies, None, None), inventory(&objects));
        let map_set = lrpc_linker::link(&image, &inventory, "n1", narrow.as_deref()).unwrap().map_set;
        for row in map_set.rows().iter().filter(|row| row.frontend.protocol == Protocol::Tcp) {
            let to = std::net::SocketAddr::new(row.frontend.address, row.frontend.port.get());
            for source in ["host", "default/a", "default/b"] {
                let flow = format!("tcp from {source} to {to}").parse().unwrap();
                if let Ok(traced) = trace(&image, &inventory, "n1", &map_set, &flow) {
                    met.insert(format!("{} {:?}", traced.state(), traced.reason()));
                }
            }
        }
    }
    // Redirect, link's seven reasons and L6's and L8's as `original`, and the three that `drop` can have.
    assert_eq!(met.len(), 13, "{met:#?}");
}
