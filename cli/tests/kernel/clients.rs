//! L6: who is redirected, by the annotation `lrpc.dev/clients`.

use testkit::{Client, Driver, Node, Pod, Qos, Server, Spec};

use crate::Test;
use crate::pods::{REFUSED, WAYS, pod, who};
use crate::world::{World, address_policy};

pub(crate) const TESTS: &[Test] = &[
    ("l06_each_value_chooses_its_clients", l06_each_value_chooses_its_clients),
    ("l06_a_boundary_holds_for_pods_that_start_later", l06_a_boundary_holds_for_pods_that_start_later),
];

const PORT: u16 = 7;

/// Who asks, in the order in which the tables name them.
struct Clients {
    pods: Vec<Pod>,
    asking: Vec<Client>,
}

impl Clients {
    fn new(node: &Node<'_>) -> Self {
        let shop = Spec { labels: "app: shop", ..Spec::default() };
        let elsewhere = Spec { namespace: "elsewhere", labels: "app: shop", ..Spec::default() };
        // Pods sit at several depths, under both of the trees that a kubelet may make.
        let (cgroupfs, systemd) = (Driver::Cgroupfs, Driver::Systemd);
        let (guaranteed, best_effort) = (Qos::Guaranteed, Qos::BestEffort);
        let on_host = |name, driver, qos, spec| Spec { name, driver, qos, host_network: true, ..spec };
        let pods = vec![
            node.pod(Spec { name: "shop", ..shop }).unwrap(),
            node.pod(Spec { name: "till", labels: "app: till", qos: guaranteed, ..shop }).unwrap(),
            node.pod(Spec { name: "elsewhere", driver: cgroupfs, qos: best_effort, ..elsewhere }).unwrap(),
            node.pod(on_host("host-shop", cgroupfs, guaranteed, shop)).unwrap(),
            node.pod(on_host("host-elsewhere", systemd, best_effort, elsewhere)).unwrap(),
            node.process("cni").unwrap(),
        ];
        let asking = pods.iter().map(|pod| pod.client().unwrap()).collect();
        Self { pods, asking }
    }

    /// A pod that an inventory does not know yet.
    fn start(&mut self, node: &Node<'_>, spec: Spec<'_>) {
        let pod = node.pod(spec).unwrap();
        self.asking.push(pod.client().unwrap());
        self.pods.push(pod);
    }

    /// Those that an inventory of this moment shows.
    fn known(&self) -> Vec<&Pod> {
        self.pods.iter().filter(|pod| pod.name != "cni").collect()
    }

    /// Asks in every way, and says of each client who answers.
    #[track_caller]
    fn hear(&mut self, addresses: &[String; 2], expected: &[&str], about: &str) {
        assert_eq!(self.asking.len(), expected.len());
        for ((client, pod), expected) in self.asking.iter_mut().zip(&self.pods).zip(expected) {
            for way in WAYS {
                let heard = who(client, way, addresses, PORT);
                assert_eq!(heard, *expected, "{about}: {} by {way:?}", pod.name);
            }
        }
    }
}

/// The two frontends of a policy, with a server that says `original` behind each.
fn frontends(world: &World, number: usize) -> [String; 2] {
    let addresses = [format!("169.254.22.{number}"), format!("fd00:22::{number}")];
    for (address, length) in addresses.iter().zip([32, 128]) {
        world.sandbox.add_address(&format!("{address}/{length}")).unwrap();
        let ip: std::net::IpAddr = address.parse().unwrap();
        Server::start((ip, PORT).into(), "original").unwrap();
    }
    addresses
}

/// A policy in every family and protocol.
fn policies(number: usize, addresses: &[String; 2], app: &str, annotations: &str) -> String {
    let mut policies = Vec::new();
    for (family, address) in addresses.iter().enumerate() {
        for protocol in ["TCP", "UDP"] {
            let name = format!("policy-{number}-{family}-{}", protocol.to_lowercase());
            let policy = address_policy(&name, (address, PORT, protocol), PORT, annotations);
            policies.push(policy.replace("app: proxy", &format!("app: {app}")));
        }
    }
    policies.join("---\n")
}

/// Pods, pods that are not meant, pods of another namespace, pods on the host network, and a process of the
/// node; then the same with pods that started after the link.
fn l06_each_value_chooses_its_clients() {
    const YES: &str = "backend";
    const NOT: &str = "original";
    let world = World::new();
    let node = world.node();
    let backend = pod(&node, "backend");
    backend.serve(PORT, YES).unwrap();
    let mut clients = Clients::new(&node);
    // shop, till, elsewhere, host-shop, host-elsewhere, cni; late, late-host.
    let table = [
        ("all", [YES, YES, YES, YES, YES, YES, YES, YES]),
        ("pods", [YES, YES, YES, NOT, NOT, NOT, YES, NOT]),
        ("all-pods", [YES, YES, YES, YES, YES, NOT, YES, YES]),
        ("namespace", [YES, YES, NOT, YES, NOT, NOT, NOT, NOT]),
        ("\"selector:app in (shop)\"", [YES, NOT, NOT, YES, NOT, NOT, NOT, NOT]),
    ];
    let frontends: Vec<[String; 2]> = (1..=table.len()).map(|number| frontends(&world, number)).collect();
    let manifests: Vec<String> = table
        .iter()
        .zip(&frontends)
        .enumerate()
        .map(|(number, ((value, _), addresses))| {
            policies(number, addresses, "backend", &format!("lrpc.dev/clients: {value}"))
        })
        .collect();
    let image = world.image("clients", &manifests.join("---\n"));
    for ((value, _), addresses) in table.iter().zip(&frontends) {
        clients.hear(addresses, &[NOT; 6], &format!("{value}, before"));
    }
    let known = [clients.known(), vec![&backend]].concat();
    let applied = world.apply_here(&image, &world.inventory_of(&known, "")).ends(0).json();
    assert_eq!(applied["left_out"], 0, "{applied}");
    for ((value, expected), addresses) in table.iter().zip(&frontends) {
        clients.hear(addresses, &expected[..6], value);
    }

    let late = Spec { name: "late", labels: "app: shop", ..Spec::default() };
    clients.start(&node, late);
    clients.start(&node, Spec { name: "late-host", host_network: true, ..late });
    for ((value, expected), addresses) in table.iter().zip(&frontends) {
        clients.hear(addresses, expected, &format!("{value}, before the next link"));
    }
    let known = [clients.known(), vec![&backend]].concat();
    world.apply_here(&image, &world.inventory_of(&known, "")).ends(0);
    for ((value, expected), addresses) in table.iter().zip(&frontends) {
        let mut expected = *expected;
        if !matches!(*value, "pods") {
            expected[6] = YES;
            expected[7] = YES;
        }
        clients.hear(addresses, &expected, &format!("{value}, after the next link"));
    }
}

/// `fallback: drop` without a backend: who is meant is refused, who is not is left alone, and a pod that no
/// link has seen counts as meant.
fn l06_a_boundary_holds_for_pods_that_start_later() {
    const NOT: &str = "original";
    let world = World::new();
    let node = world.node();
    let mut clients = Clients::new(&node);
    let table = [
        ("all", [REFUSED; 8]),
        ("pods", [REFUSED, REFUSED, REFUSED, NOT, NOT, NOT, REFUSED, NOT]),
        ("all-pods", [REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, NOT, REFUSED, REFUSED]),
        ("namespace", [REFUSED, REFUSED, NOT, REFUSED, NOT, NOT, REFUSED, REFUSED]),
        ("\"selector:app in (shop)\"", [REFUSED, NOT, NOT, REFUSED, NOT, NOT, REFUSED, REFUSED]),
    ];
    let frontends: Vec<[String; 2]> = (1..=table.len()).map(|number| frontends(&world, number)).collect();
    let manifests: Vec<String> = table
        .iter()
        .zip(&frontends)
        .enumerate()
        .map(|(number, ((value, _), addresses))| {
            let annotations = format!("lrpc.dev/fallback: drop, lrpc.dev/clients: {value}");
            policies(number, addresses, "nobody", &annotations)
        })
        .collect();
    let image = world.image("boundary", &manifests.join("---\n"));
    world.apply_here(&image, &world.inventory_of(&clients.known(), "")).ends(0);
    // Of another namespace and with other labels: nobody knows that yet.
    let late = Spec { name: "late", namespace: "elsewhere", labels: "app: late", ..Spec::default() };
    clients.start(&node, late);
    clients.start(&node, Spec { name: "late-host", host_network: true, ..late });
    for ((value, expected), addresses) in table.iter().zip(&frontends) {
        clients.hear(addresses, expected, value);
    }
    // The next link does.
    world.apply_here(&image, &world.inventory_of(&clients.known(), "")).ends(0);
    for ((value, expected), addresses) in table.iter().zip(&frontends) {
        let mut expected = *expected;
        if matches!(*value, "namespace" | "\"selector:app in (shop)\"") {
            expected[6] = NOT;
            expected[7] = NOT;
        }
        clients.hear(addresses, &expected, &format!("{value}, after the next link"));
    }
}
