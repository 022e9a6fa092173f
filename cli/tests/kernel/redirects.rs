//! Who is redirected, and to where.

use crate::Test;
use crate::world::{GUIDE, World, address_policy, guide_policy};

pub(crate) const TESTS: &[Test] = &[
    ("the_guides_address_example", the_guides_address_example),
    ("connected_udp_is_redirected", connected_udp_is_redirected),
    ("l05_drop_refuses_connects", l05_drop_refuses_connects),
    ("several_backends_share_the_connects", several_backends_share_the_connects),
    ("nothing_is_left_out", nothing_is_left_out),
    ("a_miss_forgets_the_frontend_before_it", a_miss_forgets_the_frontend_before_it),
];

/// A client in the cgroup that connects to 169.254.169.254:8080 reaches the backend's port 80; one outside
/// reaches what it asked for.
fn the_guides_address_example() {
    let world = World::new();
    world.server("10.244.1.10", 80, "backend");
    world.server("169.254.169.254", 8080, "original");
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let (mut pod, mut outsider) = (world.pod(), world.outsider());
    assert_eq!(pod.connect("tcp", GUIDE).unwrap().name, "original");

    world.apply(&world.image("guide", &guide_policy(80)), &inventory, &[]).ends(0);
    let answer = pod.connect("tcp", GUIDE).unwrap();
    assert_eq!((&*answer.name, &*answer.peer), ("backend", GUIDE));
    assert_eq!(outsider.connect("tcp", GUIDE).unwrap().name, "original");

    world.lrpc(&["unload"]).ends(0);
    assert_eq!(pod.connect("tcp", GUIDE).unwrap().name, "original");
}

fn connected_udp_is_redirected() {
    let world = World::new();
    world.server("10.244.1.10", 5353, "backend");
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[5353])]);
    let policy = address_policy("dns", ("169.254.20.10", 53, "UDP"), 5353, "");
    let applied = world.apply(&world.image("dns", &policy), &inventory, &[]).ends(0).json();
    assert_eq!(applied["left_out"], 0);
    let answer = world.pod().connect("udp", "169.254.20.10:53").unwrap();
    assert_eq!((&*answer.name, &*answer.peer), ("backend", "169.254.20.10:53"));
}

/// L5: a frontend of a `drop` policy without a backend is closed, and no other.
fn l05_drop_refuses_connects() {
    let world = World::new();
    world.server("169.254.169.254", 8080, "original");
    let inventory = world.inventory(&[]);
    let policy = address_policy("closed", ("169.254.169.254", 8080, "TCP"), 80, "lrpc.dev/fallback: drop");
    world.apply(&world.image("closed", &policy), &inventory, &[]).ends(0);
    let refused = world.pod().connect("tcp", GUIDE).unwrap_err();
    assert!(refused.to_string().contains("Operation not permitted"), "{refused}");
    assert_eq!(world.outsider().connect("tcp", GUIDE).unwrap().name, "original");
}

/// D6: each new connection takes one of the backends by chance.
fn several_backends_share_the_connects() {
    let world = World::new();
    let pods = [("a", "10.244.1.11"), ("b", "10.244.1.12"), ("c", "10.244.1.13")];
    for (name, ip) in pods {
        world.server(ip, 80, name);
    }
    let inventory = world.inventory(&pods.map(|(name, ip)| (name, ip, &[80][..])));
    world.apply(&world.image("guide", &guide_policy(80)), &inventory, &[]).ends(0);
    let mut pod = world.pod();
    let mut met = std::collections::BTreeSet::new();
    for _ in 0..200 {
        met.insert(pod.connect("tcp", GUIDE).unwrap().name);
    }
    assert_eq!(met.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
}

/// Whatever a policy asks for has its entries.
fn nothing_is_left_out() {
    let world = World::new();
    world.server("10.244.1.10", 80, "backend");
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80]), ("six", "fd00::10", &[80])]);
    let policies = [
        guide_policy(80),
        address_policy("six", ("fd00::1", 80, "TCP"), 80, ""),
        address_policy("some", ("169.254.1.1", 80, "TCP"), 80, "lrpc.dev/clients: pods"),
        address_policy("dns", ("169.254.1.2", 53, "UDP"), 80, "lrpc.dev/fallback: drop"),
    ];
    let applied = world.apply(&world.image("all", &policies.join("---\n")), &inventory, &[]).ends(0).json();
    assert_eq!((&applied["frontends"], &applied["left_out"]), (&4.into(), &0.into()), "{applied}");
    assert_eq!(world.pod().connect("tcp", GUIDE).unwrap().name, "backend");
}

/// Every connect overwrites or deletes what the socket remembers: straight to the backend, getpeername says
/// the backend.
fn a_miss_forgets_the_frontend_before_it() {
    let world = World::new();
    world.server("10.244.1.10", 5353, "backend");
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[5353])]);
    let policy = address_policy("dns", ("169.254.20.10", 53, "UDP"), 5353, "");
    world.apply(&world.image("dns", &policy), &inventory, &[]).ends(0);
    let mut pod = world.pod();
    assert_eq!(pod.connect("udp", "169.254.20.10:53").unwrap().peer, "169.254.20.10:53");
    assert_eq!(pod.reconnect("10.244.1.10:5353").unwrap(), "10.244.1.10:5353");
}
