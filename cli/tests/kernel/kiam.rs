//! kiam's shape, with the policy of this repository: an agent on the host network stands in for the metadata
//! service, for pods alone.
//!
//! The metadata service is the tests' own, in the sandbox's network namespace.

use std::net::SocketAddr;
use std::path::Path;

use testkit::{Client, Driver, NODE_ADDRESSES, Pod, Qos, Server, Spec};

use crate::Test;
use crate::pods::pod;
use crate::world::World;

pub(crate) const TESTS: &[Test] = &[
    ("kiam_serves_pods_and_asks_the_metadata_service", kiam_serves_pods_and_asks_the_metadata_service),
    (
        "l08_an_agent_is_found_wherever_the_kubelet_puts_it",
        l08_an_agent_is_found_wherever_the_kubelet_puts_it,
    ),
    ("l08_an_agent_that_is_not_found_refuses_the_apply", l08_an_agent_that_is_not_found_refuses_the_apply),
];

const METADATA: &str = "169.254.169.254:80";

fn world() -> World {
    let world = World::new();
    world.server("169.254.169.254", 80, "metadata");
    world
}

/// The image of the policy in `policies/kiam-eks`, with another value of `lrpc.dev/clients`.
fn image(world: &World, clients: &str) -> String {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/kiam-eks/policy.yaml");
    let policy = std::fs::read_to_string(policy).unwrap();
    assert!(policy.contains("lrpc.dev/clients: pods"));
    let policy = policy.replace("lrpc.dev/clients: pods", &format!("lrpc.dev/clients: {clients}"));
    world.image(&format!("kiam-{clients}"), &policy)
}

const AGENT: Spec<'static> = Spec {
    name: "kiam-agent",
    namespace: "default",
    labels: "app: kiam, component: agent",
    ports: "",
    driver: Driver::Systemd,
    qos: Qos::Burstable,
    host_network: true,
    is_static: false,
    nameservers: &[],
};

fn metadata(client: &mut Client) -> String {
    client.connect("tcp", METADATA).unwrap().name
}

/// Pods get the agent; the agent, another pod on the host network and the CNI's process of the node get the
/// metadata service. With `clients: all` it is the exemption of L8 alone that lets the agent through.
fn kiam_serves_pods_and_asks_the_metadata_service() {
    let world = world();
    let node = world.node();
    let agent = node.pod(AGENT).unwrap();
    Server::start(SocketAddr::new(NODE_ADDRESSES[0], 8181), "agent").unwrap();
    let (shop, other) = (pod(&node, "shop"), Spec { name: "proxy", host_network: true, ..Spec::default() });
    let (other, cni) = (node.pod(other).unwrap(), node.process("aws-node").unwrap());
    let inventory = world.inventory_of(&[&agent, &shop, &other], "");
    let mut asking = [&shop, &agent, &other, &cni].map(|pod: &Pod| pod.client().unwrap());
    let mut hear = |when: &str, expected: [&str; 4]| {
        let heard = asking.each_mut().map(metadata);
        assert_eq!(heard, expected, "{when}: a pod, the agent, a pod on the host network, the CNI");
    };
    hear("before", ["metadata"; 4]);
    for (clients, expected) in [
        ("pods", ["agent", "metadata", "metadata", "metadata"]),
        ("all", ["agent", "metadata", "agent", "agent"]),
        ("all-pods", ["agent", "metadata", "agent", "metadata"]),
    ] {
        let applied = world.apply_here(&image(&world, clients), &inventory).ends(0).json();
        assert_eq!(applied["left_out"], 0, "{applied}");
        hear(clients, expected);
    }
    let answer = shop.client().unwrap().connect("tcp", METADATA).unwrap();
    assert_eq!(answer.peer, METADATA);
    world.lrpc(&["unload"]).ends(0);
    hear("after", ["metadata"; 4]);
}

/// Both cgroup drivers, every class, from a file or from the API, and wherever in its container a process is.
fn l08_an_agent_is_found_wherever_the_kubelet_puts_it() {
    let world = world();
    let node = world.node();
    let image = image(&world, "all");
    Server::start(SocketAddr::new(NODE_ADDRESSES[0], 8181), "agent").unwrap();
    let shop = pod(&node, "shop");
    let mut asking = shop.client().unwrap();
    for driver in [Driver::Systemd, Driver::Cgroupfs] {
        for qos in [Qos::Guaranteed, Qos::Burstable, Qos::BestEffort] {
            for is_static in [false, true] {
                let agent = node.pod(Spec { driver, qos, is_static, ..AGENT }).unwrap();
                world.apply_here(&image, &world.inventory_of(&[&agent, &shop], "")).ends(0);
                let mut own = agent.client().unwrap();
                let heard = [metadata(&mut own), metadata(&mut asking)];
                assert_eq!(heard, ["metadata", "agent"], "{driver:?} {qos:?} {is_static}");
                // A container may have cgroups of its own below.
                let below = agent.cgroup().join("init.scope");
                std::fs::create_dir(&below).unwrap();
                own.enter(&below).unwrap();
                assert_eq!(metadata(&mut own), "metadata", "{driver:?} {qos:?} {is_static}, deeper");
            }
        }
    }
}

/// Never a loop: what is active stays.
fn l08_an_agent_that_is_not_found_refuses_the_apply() {
    let world = world();
    let node = world.node();
    let image = image(&world, "pods");
    Server::start(SocketAddr::new(NODE_ADDRESSES[0], 8181), "agent").unwrap();
    let (agent, shop) = (node.pod(AGENT).unwrap(), pod(&node, "shop"));
    world.apply_here(&image, &world.inventory_of(&[&agent, &shop], "")).ends(0);
    let mut stranger = node.pod(Spec { name: "kiam-agent-2", ..AGENT }).unwrap();
    stranger.uid = "0000dead-0000-4000-8000-000000000000".into();
    let inventory = world.inventory_of(&[&agent, &stranger, &shop], "");
    let refused = world.apply_here(&image, &inventory).ends(2);
    assert!(refused.stderr.contains("kiam-agent-2"), "{}", refused.stderr);
    assert!(refused.stderr.contains("default/kiam"), "{}", refused.stderr);
    let heard = [metadata(&mut agent.client().unwrap()), metadata(&mut shop.client().unwrap())];
    assert_eq!(heard, ["metadata", "agent"]);
}
