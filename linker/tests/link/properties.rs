//! What holds for every world: `link` gives what the [`model`](super::model) gives, sorted, the same
//! whatever the order of objects and policies, and never panics.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use lrpc_linker::inventory::Builder;
use lrpc_linker::mapset::{PodRef, Row, State};
use lrpc_linker::{Linked, Linker, PAGES};
use lrpc_schema::image::{
    Clients, Fallback, Image, Matcher, Operator, Policy, PolicyName, Requirement, Selector,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use super::model;
use super::world::*;

/// Worlds of one run; the variable asks for another number, as CI does.
const WORLDS: u32 = 10_000;
const VARIABLE: &str = "LRPC_MODEL_WORLDS";

/// Chooses by the bytes of a case; when they run out, always the first.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % count
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// True once in `count` times.
    fn rarely(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    fn policy(&mut self, number: usize) -> Policy {
        let mut policy = if self.rarely(2) {
            let ip = self.one_of(&[
                "169.254.20.10",
                "10.96.0.1",
                "fd00::96",
                "198.51.100.1",
                "192.0.2.1",
                "169.254.169.254",
            ]);
            let count = self.one_of(&[1, 1, 2, 3]);
            let frontend = self.ports(count, true);
            address(ip, &as_str(&frontend), &[])
        } else {
            let (count, names) = (self.one_of(&[0, 0, 1, 1, 2, 3]), self.rarely(2));
            let frontend = self.ports(count, names);
            let mut policy = service(&as_str(&frontend), &[]);
            let Matcher::Service { name, .. } = &mut policy.frontend else { unreachable!() };
            *name = self.one_of(&["s0", "s0", "s1", "s2"]).into();
            policy
        };
        let count = self.one_of(&[1, 1, 2, 3]);
        let named = count > 1 || policy.frontend.ports().len() > 1;
        policy.backend.ports = ports(&as_str(&self.ports(count, named)));
        // One name has one meaning for each protocol (L2).
        let mut seen = BTreeSet::new();
        policy.backend.ports.retain(|spec| seen.insert((spec.name.clone(), spec.protocol)));
        if self.rarely(4) {
            policy.backend.selector = Selector::default();
        }
        if self.rarely(5) {
            policy.backend.address = Some(self.one_of(&["169.254.169.252", "fd00::252"]).parse().unwrap());
        }
        policy.name = PolicyName { namespace: "default".into(), name: format!("p{number}").into() };
        policy.skip = self.rarely(2);
        policy.shadow_service = self.rarely(3);
        policy.fallback = self.one_of(&[Fallback::Original, Fallback::Drop]);
        policy.nodes = self.rarely(6).then(|| selector("kubernetes.io/hostname=n2"));
        policy.clients = match self.below(6) {
            0 => Clients::Pods,
            1 => Clients::Namespace,
            2 => Clients::Selector(selector("app=y")),
            3 => Clients::AllPods,
            _ => Clients::All,
        };
        policy
    }

    /// Ports as [`ports`] reads them, each number and protocol once.
    fn ports(&mut self, count: usize, named: bool) -> Vec<String> {
        let mut seen = BTreeMap::new();
        for _ in 0..count {
            let port =
                format!("{}/{}", self.one_of(&["80", "81", "82"]), self.one_of(&["TCP", "TCP", "UDP"]));
            let name = if named { self.one_of(&[" a", " b", " c"]) } else { "" };
            seen.insert(port, name);
        }
        seen.into_iter().map(|(port, name)| port + name).collect()
    }

    fn pod(&mut self, name: &str) -> Value {
        let choices = [
            &["10.0.0.1"][..],
            &["10.0.0.2"],
            &["10.0.0.2", "fd00::2"],
            &["fd00::1"],
            &["bad", "10.0.0.1"],
            &["127.0.0.1", "10.0.0.2", "ff02::1", "::1"],
            &["0.0.0.0", "192.0.2.1"],
            &[],
        ];
        let ips = self.one_of(&choices);
        let count = self.one_of(&[0, 1, 2, 3]);
        let declared: Vec<_> = (0..count)
            .map(|_| {
                let port = self.one_of(&["80", "81", "82"]);
                let protocol = self.one_of(&["TCP", "TCP", "UDP", "SCTP"]);
                format!("{port}/{protocol}{}", self.one_of(&["", " a", " b", " c"]))
            })
            .collect();
        let mut pod = pod(name, ips, &as_str(&declared));
        if self.rarely(4) {
            pod = unready(pod);
        }
        if self.rarely(4) {
            pod = terminating(pod);
        }
        for (rarity, pointer, value) in [
            (4, "/metadata/labels/app", json!("y")),
            (4, "/metadata/labels/tier", json!("z")),
            (8, "/metadata/namespace", json!("other")),
            (8, "/spec/nodeName", json!("n2")),
            (3, "/spec/hostNetwork", json!(true)),
            (8, "/status/phase", json!("Succeeded")),
            (8, "/metadata/uid", json!("")),
        ] {
            if self.rarely(rarity) {
                pod = with(pod, pointer, value);
            }
        }
        pod
    }

    fn service(&mut self, number: usize) -> Value {
        let mut seen = BTreeMap::new();
        for _ in 0..1 + self.below(4) {
            let port = format!(
                "{}/{}",
                self.one_of(&["80", "81", "82"]),
                self.one_of(&["TCP", "TCP", "UDP", "SCTP"])
            );
            let name = self.one_of(&[" -", " a", " b", " c"]);
            seen.insert(port, format!("{name}{}", self.one_of(&["", " 80", " 81", " a", " b"])));
        }
        let service_ports: Vec<_> = seen.into_iter().map(|(port, rest)| port + &rest).collect();
        let (four, six) = (format!("10.96.0.{}", number + 1), format!("fd00::{}", number + 96));
        let ips = match self.below(4) {
            0 => vec!["None"],
            1 => vec![four.as_str(), &six],
            _ => vec![four.as_str()],
        };
        let mut svc = with(svc(&ips, &as_str(&service_ports)), "/metadata/name", format!("s{number}"));
        if self.rarely(3) {
            svc = with(svc, "/spec/externalIPs", json!(["198.51.100.1"]));
        }
        if self.rarely(3) {
            svc = with(with(svc, "/spec/type", "NodePort"), "/spec/ports/0/nodePort", 80);
        }
        for (rarity, field, value) in [
            (2, "/spec/selector", json!({"app": "x"})),
            (3, "/spec/selector", json!({"app": "y"})),
            (5, "/spec/selector", json!({"tier": "z"})),
            (5, "/spec/internalTrafficPolicy", json!("Local")),
        ] {
            if self.rarely(rarity) {
                svc = with(svc, field, value);
            }
        }
        svc
    }
}

fn as_str(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Policies, objects, and a narrower allow-list.
pub(crate) fn world(bytes: &[u8]) -> (Vec<Policy>, Vec<Value>, Option<Vec<IpNet>>) {
    let mut dice = Dice(bytes.iter());
    let policies = (0..1 + dice.below(3)).map(|number| dice.policy(number)).collect();
    let mut objects = vec![node("n1", &["192.0.2.1"]), node("n2", &["192.0.2.2", "198.51.100.1"])];
    let pods = dice.below(5);
    objects.extend(["a", "b", "c", "d"].iter().take(pods).map(|name| dice.pod(name)));
    let services = dice.below(3);
    objects.extend((0..services).map(|number| dice.service(number)));
    let narrow = dice.rarely(6).then(|| vec!["169.254.0.0/16".parse().unwrap()]);
    (policies, objects, narrow)
}

/// A row in words; `running` are the pods that run on its node.
fn described(row: &Row, running: &BTreeSet<String>) -> String {
    let names = |pods: &[PodRef]| pods.iter().map(|pod| pod.name.to_string()).collect();
    let decision = match row.reason() {
        None => "->".into(),
        Some(reason) => format!("{} {reason}", row.state()),
    };
    let backend = |backend: &lrpc_linker::mapset::Backend| {
        ((backend.address, backend.port.get()), names(&backend.pods))
    };
    let frontend = (row.frontend.address, row.frontend.port.get(), row.frontend.protocol);
    let backends = row.backends().iter().map(backend).collect();
    let mut clients: BTreeSet<String> = names(&row.client_pods);
    let has_list = matches!(row.clients, Clients::Namespace | Clients::Selector(_));
    if has_list && row.state() != State::Original && row.fallback == Fallback::Drop {
        // The row lists those that are no clients; a pod elsewhere that it lists is seen as one.
        clients = &clients ^ running;
        clients.insert(LATER.to_owned());
    }
    line(frontend, &row.policy, &decision, &backends, &names(&row.skip), &clients)
}

/// The pods of a node that are not finished.
fn running(objects: &[Value], node: &str) -> BTreeSet<String> {
    let is_there = |object: &&Value| {
        object["kind"] == "Pod"
            && object["spec"]["nodeName"] == node
            && object["status"]["phase"] != "Succeeded"
    };
    let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap().to_owned();
    objects.iter().filter(is_there).map(name).collect()
}

fn linked(policies: &[Policy], objects: &[Value], narrow: Option<&[IpNet]>) -> Linked {
    let image = Image::seal(policies.to_vec(), None, None);
    lrpc_linker::link(&image, &inventory(objects), "n1", narrow).unwrap()
}

pub(crate) fn config() -> ProptestConfig {
    let asked = std::env::var(VARIABLE).map(|number| number.parse().unwrap());
    ProptestConfig { cases: asked.unwrap_or(WORLDS), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Two readings of the same rules agree on every world.
    #[test]
    fn link_agrees_with_the_model(bytes in prop::collection::vec(any::<u8>(), 40..160)) {
        let (policies, objects, narrow) = world(&bytes);
        let (image, inventory) = (Image::seal(policies.clone(), None, None), inventory(&objects));
        let linker = Linker::new(&image, &inventory, narrow.as_deref());
        for node in ["n1", "n2"] {
            let (map_set, running) = (linker.link(node).unwrap().map_set, running(&objects, node));
            let found: Vec<_> = map_set.rows().iter().map(|row| described(row, &running)).collect();
            let expected = model::lines(&policies, &objects, node, narrow.as_deref());
            prop_assert_eq!(found, expected, "{:#?}\n{:#}", policies, json!(objects));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases / 10, ..config() })]

    /// Neither the order of the objects nor that of the policies is heard, and what comes out is sorted.
    #[test]
    fn order_is_not_heard(bytes in prop::collection::vec(any::<u8>(), 40..160)) {
        let (mut policies, mut objects, narrow) = world(&bytes);
        let one = linked(&policies, &objects, narrow.as_deref());
        policies.reverse();
        objects.reverse();
        let other = linked(&policies, &objects, narrow.as_deref());
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(one.map_set.digest(), other.map_set.digest());
        prop_assert!(one.map_set.rows().is_sorted_by(|one, other| one.frontend < other.frontend));
        prop_assert!(one.findings.is_sorted_by(|one, other| one < other));
    }

    /// Every finding has a page (the compiler has that of the overlap), and every frontend that ready pods
    /// leave without a backend has a finding of its policy that says why.
    #[test]
    fn holes_are_explained(bytes in prop::collection::vec(any::<u8>(), 40..160)) {
        let (policies, objects, narrow) = world(&bytes);
        let linked = linked(&policies, &objects, narrow.as_deref());
        for finding in &linked.findings {
            let page = PAGES.iter().find(|page| page.code == finding.code);
            prop_assert!(finding.code == "frontend-overlap" || page.is_some_and(|page| page.severity == finding.severity));
        }
        for row in linked.map_set.rows() {
            if row.reason().is_some_and(|reason| reason.as_str() != "node-not-selected") {
                prop_assert!(linked.findings.iter().any(|finding| finding.policy.as_ref() == Some(&row.policy)), "{:?}", row);
            }
        }
    }

    /// Text of any kind is read or refused, never a panic.
    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}:,\"a-z0-9 \\n-]{0,200}") {
        let mut builder = Builder::default();
        let _ = builder.add("text", &text);
        let _ = builder.add("json", &format!("{{\"kind\":\"Pod\",\"metadata\":{text}}}"));
        let _ = builder.build();
    }
}

/// The worlds are worth the comparing: each reason and each state is met often.
#[test]
fn the_worlds_meet_every_reason() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(any::<u8>(), 40..160);
    let mut met = BTreeMap::new();
    for _ in 0..2_000 {
        let (policies, objects, narrow) = world(&strategy.new_tree(&mut runner).unwrap().current());
        for row in linked(&policies, &objects, narrow.as_deref()).map_set.rows() {
            *met.entry((row.state().as_str(), row.reason().map(|reason| reason.as_str()))).or_insert(0) += 1;
        }
    }
    // Redirect, the seven reasons as `original`, and the three that `drop` can have.
    assert_eq!(met.len(), 11, "{met:?}");
    assert!(met.values().all(|&count| count >= 20), "{met:?}");
}

/// A selector that is not one label reaches `link` as it reaches the image.
#[test]
fn every_operator_selects() {
    let mut policy = address("169.254.20.10", &["80/TCP"], &["80/TCP"]);
    let not_y = Requirement::new("app".into(), Operator::NotIn, vec!["y".into()]).unwrap();
    policy.backend.selector = Selector::new(vec![not_y]);
    let objects = [
        pod("a", &["10.0.0.1"], &[]),
        with(pod("b", &["10.0.0.2"], &[]), "/metadata/labels/app", "y"),
        with(pod("c", &["10.0.0.3"], &[]), "/metadata/labels", json!(null)),
    ];
    check(&[policy], &objects, &["169.254.20.10:80/TCP -> 10.0.0.1:80(a) 10.0.0.3:80(c)"], &[]);
}
