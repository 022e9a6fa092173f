//! Node-local DNS with the policy of this repository: caches in pods stand in for the cluster's DNS, and ask
//! it themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;

use testkit::{Daemon, Node, Pod, Spec};

use crate::Test;
use crate::programs::{compiled, dnsmasq, mapped, wait_for};
use crate::world::World;

pub(crate) const TESTS: &[Test] = &[
    ("dns_caches_lose_no_query_in_fifty_swaps", dns_caches_lose_no_query_in_fifty_swaps),
    (
        "dns_cache_may_ask_the_service_that_it_stands_in_for",
        dns_cache_may_ask_the_service_that_it_stands_in_for,
    ),
];

/// The Service that pods ask.
const KUBE_DNS: [&str; 2] = ["10.96.0.10", "fd00:96::10"];
/// The Service that the caches ask.
const UPSTREAM: [&str; 2] = ["10.96.0.11", "fd00:96::11"];
/// What whoever is behind the Services answers for `where.test`: no client may ever hear it.
const CLUSTER: &str = "192.0.2.1";

/// A cluster with caches that answer `where.test` themselves, each with its own address.
struct Cluster<'a> {
    world: &'a World,
    caches: Vec<Pod>,
    _servers: Vec<Daemon>,
}

impl<'a> Cluster<'a> {
    /// One cache for each of these; `upstream` is what they ask.
    fn new(world: &'a World, node: &Node<'_>, caches: &[&str], upstream: [&str; 2]) -> Self {
        for (addresses, length) in [(0, 32), (1, 128)] {
            for services in [KUBE_DNS, UPSTREAM] {
                world.sandbox.add_address(&format!("{}/{length}", services[addresses])).unwrap();
            }
        }
        let dns = node.process("cluster-dns").unwrap();
        let known = ["--address=/host.test/192.0.2.9"].map(str::to_owned);
        let mut servers = vec![dnsmasq(&dns, &[KUBE_DNS, UPSTREAM].concat(), CLUSTER, &known)];
        let caches = caches.iter().enumerate().map(|(number, name)| {
            let pod = Spec {
                name,
                namespace: "kube-system",
                labels: &format!("k8s-app: {name}"),
                ports: "{name: dns, containerPort: 53, protocol: UDP}, \
                        {name: dns-tcp, containerPort: 53, protocol: TCP}",
                ..Spec::default()
            };
            let pod = node.pod(pod).unwrap();
            let addresses = pod.addresses.map(|address| address.to_string());
            let ask = upstream.map(|address| format!("--server={address}"));
            let answer = cached(number);
            servers.push(dnsmasq(&pod, &[&*addresses[0], &*addresses[1]], &answer, &ask));
            for address in addresses {
                wait_for(&pod, &address, 53);
            }
            pod
        });
        let caches = caches.collect();
        for address in [KUBE_DNS, UPSTREAM].concat() {
            wait_for(&dns, address, 53);
        }
        Self { world, caches, _servers: servers }
    }

    /// The image that sends pods to the cache of this name.
    fn image(&self, cache: &str, more: &str) -> String {
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/node-local-dns/policy.yaml");
        let policy = fs::read_to_string(policy).unwrap();
        assert!(policy.contains("k8s-app: node-local-dns\n"));
        let policy = policy.replace("k8s-app: node-local-dns\n", &format!("k8s-app: {cache}\n"));
        self.world.image(cache, &(policy + more))
    }

    fn inventory(&self, pods: &[&Pod]) -> String {
        let services: Vec<String> = [("kube-dns", KUBE_DNS), ("kube-dns-upstream", UPSTREAM)]
            .map(|(name, [v4, v6])| {
                format!(
                    "---\napiVersion: v1\nkind: Service\n\
                     metadata: {{name: {name}, namespace: kube-system, uid: uid-{name}}}\n\
                     spec: {{type: ClusterIP, clusterIP: {v4}, clusterIPs: [{v4}, \"{v6}\"], \
                     ipFamilies: [IPv4, IPv6], ipFamilyPolicy: RequireDualStack, \
                     selector: {{k8s-app: kube-dns}}, ports: [\
                     {{name: dns, port: 53, targetPort: 53, protocol: UDP}}, \
                     {{name: dns-tcp, port: 53, targetPort: 53, protocol: TCP}}]}}\n"
                )
            })
            .to_vec();
        let all: Vec<&Pod> = self.caches.iter().chain(pods.iter().copied()).collect();
        self.world.inventory_of(&all, &services.concat())
    }

    fn apply(&self, image: &str, inventory: &str) {
        let applied = self.world.apply_here(image, inventory).ends(0).json();
        assert_eq!((&applied["left_out"], &applied["changed"]), (&0.into(), &true.into()), "{applied}");
    }
}

/// What the cache of this number answers for `where.test`.
fn cached(number: usize) -> String {
    format!("192.0.2.{}", 11 + number)
}

fn shop(node: &Node<'_>, nameserver: &str) -> Pod {
    node.pod(Spec { name: "shop", labels: "app: shop", nameservers: &[nameserver], ..Spec::default() })
        .unwrap()
}

fn said(pod: &Pod, program: &[&str]) -> String {
    let output = pod.run(program).unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Two caches take turns, fifty times, while musl's resolver (datagrams from sockets that are not connected)
/// and dig (connected ones, and TCP) ask in both families. Every query is answered, at its first try, by one
/// of the caches.
fn dns_caches_lose_no_query_in_fifty_swaps() {
    let world = World::new();
    let node = world.node();
    let cluster = Cluster::new(&world, &node, &["cache-a", "cache-b"], UPSTREAM);
    let musl = compiled(&world, &["musl-gcc", "-static"], "resolve.c");
    let stop = world.sandbox.folder().join("stop");
    let stop_file = stop.display().to_string();
    let queries = world.file("queries", &"where.test\n".repeat(20)).display().to_string();
    let pods = KUBE_DNS.map(|address| shop(&node, address));
    let inventory = cluster.inventory(&[&pods[0], &pods[1]]);
    let images = ["cache-a", "cache-b"].map(|name| cluster.image(name, ""));
    // Before, all hear the cluster's DNS; a name that only it knows comes through the cache, too.
    for (pod, address) in pods.iter().zip(KUBE_DNS) {
        assert!(said(pod, &[&musl, "where.test"]).contains(CLUSTER));
        for transport in ["+tcp", "+notcp"] {
            assert_eq!(dig(pod, transport, address, "where.test"), CLUSTER);
        }
    }
    cluster.apply(&images[0], &inventory);
    for (pod, address) in pods.iter().zip(KUBE_DNS) {
        for transport in ["+tcp", "+notcp"] {
            assert_eq!(dig(pod, transport, address, "where.test"), cached(0));
            assert_eq!(dig(pod, transport, address, "host.test"), "192.0.2.9", "through the cache");
        }
    }
    let heard = thread::scope(|scope| {
        let mut asking = Vec::new();
        for (pod, address) in pods.iter().zip(KUBE_DNS) {
            let (musl, stop_file) = (&musl, &stop_file);
            asking.push(scope.spawn(move || counted(&said(pod, &[musl, "where.test", stop_file]))));
            for transport in ["+tcp", "+notcp"] {
                let dig = format!(
                    "while ! [ -e {stop_file} ]; do dig @{address} {transport} +short +tries=1 +time=10 -f {queries}; \
                     done | sort | uniq -c"
                );
                asking.push(scope.spawn(move || counted(&said(pod, &["sh", "-c", &dig]))));
            }
        }
        for swap in 1..=50 {
            cluster.apply(&images[swap % 2], &inventory);
        }
        fs::write(&stop, "").unwrap();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect::<Vec<_>>()
    });
    // musl asks for both families in two datagrams, and a swap may come in between.
    let caches = [0, 1].map(cached);
    let of_caches = |address: &str| caches.iter().any(|v4| address == v4 || address == mapped(v4));
    for (client, answers) in heard.iter().enumerate() {
        let families = if client % 3 == 0 { 2 } else { 1 };
        for answer in answers.keys() {
            let addresses: Vec<&str> = answer.split(' ').collect();
            let complete = addresses.len() == families && addresses.iter().all(|one| of_caches(one));
            assert!(complete, "client {client}: {answers:?}");
        }
        let all: u64 = answers.values().sum();
        assert!(answers.len() >= 2 && all >= 100, "client {client} saw no swap: {answers:?}");
    }
    world.lrpc(&["unload"]).ends(0);
    for (pod, address) in pods.iter().zip(KUBE_DNS) {
        assert_eq!(dig(pod, "+notcp", address, "where.test"), CLUSTER, "after");
    }
}

/// `skipRedirectFromBackend`: a cache whose upstream is the Service that it stands in for reaches it, over UDP
/// and TCP, in both families; without the exemption it would ask itself for ever.
fn dns_cache_may_ask_the_service_that_it_stands_in_for() {
    let world = World::new();
    let node = world.node();
    let cluster = Cluster::new(&world, &node, &["cache"], KUBE_DNS);
    let pods = KUBE_DNS.map(|address| shop(&node, address));
    let inventory = cluster.inventory(&[&pods[0], &pods[1]]);
    let image = cluster.image("cache", "  skipRedirectFromBackend: true\n");
    cluster.apply(&image, &inventory);
    for (pod, address) in pods.iter().zip(KUBE_DNS) {
        for transport in ["+tcp", "+notcp"] {
            assert_eq!(dig(pod, transport, address, "where.test"), cached(0), "{transport} {address}");
            assert_eq!(dig(pod, transport, address, "host.test"), "192.0.2.9", "{transport} {address}");
            assert_eq!(
                dig(&cluster.caches[0], transport, address, "where.test"),
                CLUSTER,
                "the cache itself"
            );
        }
    }
}

fn dig(pod: &Pod, transport: &str, server: &str, name: &str) -> String {
    said(pod, &["dig", "+short", "+tries=1", "+time=10", transport, &format!("@{server}"), name])
}

/// Lines of a count and what was counted, its words in order.
fn counted(lines: &str) -> BTreeMap<String, u64> {
    let counted = lines.lines().map(|line| {
        let (count, what) = line.trim().split_once(' ').unwrap();
        let mut words: Vec<&str> = what.split(' ').collect();
        words.sort_unstable();
        (words.join(" "), count.parse().unwrap())
    });
    counted.collect()
}
