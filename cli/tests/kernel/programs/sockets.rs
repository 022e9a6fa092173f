//! Single sockets in a process of a pod: what they reach, and what they are told of whom they speak with.

use std::collections::BTreeSet;

use testkit::{Client, Kind, Node, Pod, Spec};

use super::{FRONTENDS, NAMES, Scene, Servers, endpoint, policy};
use crate::Test;
use crate::pods::pod;
use crate::world::{World, address_policy};

pub(crate) const TESTS: &[Test] = &[
    ("getpeername_says_what_was_asked_for", getpeername_says_what_was_asked_for),
    ("recvfrom_says_what_was_asked_for", recvfrom_says_what_was_asked_for),
    ("one_socket_asks_three_servers", one_socket_asks_three_servers),
    ("of_many_servers_the_oldest_is_forgotten", of_many_servers_the_oldest_is_forgotten),
    ("two_frontends_of_one_backend_answer_as_the_later", two_frontends_of_one_backend_answer_as_the_later),
    ("l11_an_answer_after_a_swap_is_the_frontends", l11_an_answer_after_a_swap_is_the_frontends),
    ("d06_a_socket_keeps_to_one_of_several_backends", d06_a_socket_keeps_to_one_of_several_backends),
    ("a_socket_is_connected_again", a_socket_is_connected_again),
    ("a_socket_from_before_its_cgroup_has_no_hook", a_socket_from_before_its_cgroup_has_no_hook),
    ("mptcp_is_redirected", mptcp_is_redirected),
];

/// How many frontends [`Many`] has in each family, each with a backend of its own.
const MANY: u16 = 12;

/// A world whose backends are as many as its frontends: `b1` stands behind frontend 1, and behind the one after
/// the last.
struct Many {
    client: Client,
    backend: Pod,
}

impl Many {
    fn new(world: &World, node: &Node<'_>) -> Self {
        let (shop, backend) = (pod(node, "shop"), pod(node, "backend"));
        let mut policies = Vec::new();
        for number in 1..=MANY {
            backend.serve(7000 + number, &format!("b{number}")).unwrap();
        }
        for (number, port) in (1..=MANY).map(|number| (number, 7000 + number)).chain([(MANY + 1, 7001)]) {
            for frontend in [v4(number), v6(number)] {
                let name = frontend.replace([':', '.'], "-");
                let policy = address_policy(&name, (&frontend, NAMES, "UDP"), port, "");
                policies.push(policy.replace("app: proxy", "app: backend"));
            }
        }
        let image = world.image("many", &policies.join("---\n"));
        let inventory = world.inventory_of(&[&shop, &backend], "");
        assert_eq!(world.apply_here(&image, &inventory).ends(0).json()["left_out"], 0);
        Self { client: shop.client().unwrap(), backend }
    }
}

fn v4(number: u16) -> String {
    format!("169.254.21.{number}")
}

fn v6(number: u16) -> String {
    format!("fd00:21::{number}")
}

/// An IPv4 address as an IPv6 socket writes it.
fn mapped(v4: &str) -> String {
    format!("::ffff:{v4}")
}

/// A kind of socket, and the address of a frontend by its number that it can be told.
type Way = (Kind, fn(u16) -> String);

/// Datagrams to IPv4, IPv6 and mapped addresses.
const DATAGRAMS: [Way; 3] = [(Kind::Udp4, v4), (Kind::Udp6, v6), (Kind::Udp6, |number| mapped(&v4(number)))];

fn getpeername_says_what_was_asked_for() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    let [v4, v6] = FRONTENDS;
    let mapped = mapped(v4);
    let ways = [
        (Kind::Tcp4, v4),
        (Kind::Udp4, v4),
        (Kind::Tcp6, v6),
        (Kind::Udp6, v6),
        (Kind::Tcp6, &mapped),
        (Kind::Udp6, &mapped),
    ];
    let ask = |client: &mut Client, kind, address: &str| {
        let socket = client.socket(kind).unwrap();
        client.connect_socket(socket, &endpoint(address, NAMES)).unwrap();
        if matches!(kind, Kind::Udp4 | Kind::Udp6) {
            client.send(socket).unwrap();
        }
        let answer = client.receive(socket).unwrap();
        let name = answer.split(' ').next_back().unwrap().to_owned();
        (name, client.peer_of(socket).unwrap())
    };
    let mut client = scene.shop.client().unwrap();
    for (applied, name) in [(false, "original"), (true, "backend")] {
        if applied {
            scene.apply();
        }
        for (kind, address) in ways {
            let said = ask(&mut client, kind, address);
            assert_eq!(said, (name.into(), endpoint(address, NAMES)), "{kind:?} {address}");
        }
    }
    let outside = ask(&mut scene.shop.outsider().unwrap(), Kind::Udp4, v4);
    assert_eq!(outside.0, "original");
}

/// Sockets that are connected and sockets that are not, in every family.
fn recvfrom_says_what_was_asked_for() {
    let world = World::new();
    let node = world.node();
    let mut many = Many::new(&world, &node);
    for (kind, address) in DATAGRAMS {
        let to = endpoint(&address(1), NAMES);
        let socket = many.client.socket(kind).unwrap();
        many.client.send_to(socket, &to).unwrap();
        assert_eq!(many.client.receive(socket).unwrap(), format!("{to} b1"), "not connected");
        let socket = many.client.socket(kind).unwrap();
        many.client.connect_socket(socket, &to).unwrap();
        many.client.send(socket).unwrap();
        assert_eq!(many.client.receive(socket).unwrap(), format!("{to} b1"), "connected");
        // A datagram elsewhere from a connected socket, whose answer only the connection's peer may send.
        many.client.send_to(socket, &to).unwrap();
        assert_eq!(many.client.receive(socket).unwrap(), format!("{to} b1"), "connected, and sent to");
        assert_eq!(many.client.peer_of(socket).unwrap(), to);
    }
}

/// musl and others do so: three questions, then three answers in whatever order.
fn one_socket_asks_three_servers() {
    let world = World::new();
    let node = world.node();
    let mut many = Many::new(&world, &node);
    for (kind, address) in DATAGRAMS {
        let socket = many.client.socket(kind).unwrap();
        let mut expected = Vec::new();
        for number in 1..=3 {
            let to = endpoint(&address(number), NAMES);
            many.client.send_to(socket, &to).unwrap();
            expected.push(format!("{to} b{number}"));
        }
        let mut answers: Vec<String> = (1..=3).map(|_| many.client.receive(socket).unwrap()).collect();
        answers.sort();
        assert_eq!(answers, expected);
    }
}

/// Eight pairs of frontend and backend are kept for a socket. One that asks more of them at once is told the
/// backend's own address by those that it asked first; asked one after the other, each is told right.
fn of_many_servers_the_oldest_is_forgotten() {
    let world = World::new();
    let node = world.node();
    let mut many = Many::new(&world, &node);
    for (kind, address) in DATAGRAMS {
        let socket = many.client.socket(kind).unwrap();
        for number in 1..=MANY {
            let to = endpoint(&address(number), NAMES);
            many.client.send_to(socket, &to).unwrap();
            assert_eq!(many.client.receive(socket).unwrap(), format!("{to} b{number}"));
        }
        let socket = many.client.socket(kind).unwrap();
        let mut expected = Vec::new();
        for number in 1..=MANY {
            many.client.send_to(socket, &endpoint(&address(number), NAMES)).unwrap();
            let [v4, v6] = many.backend.addresses.map(|address| address.to_string());
            let kept = number > MANY - 8;
            let plain = match address(number) {
                mapped if mapped.starts_with("::ffff") => self::mapped(&v4),
                v6_address if v6_address.contains(':') => v6,
                _ => v4,
            };
            expected.push(if kept {
                format!("{} b{number}", endpoint(&address(number), NAMES))
            } else {
                format!("{} b{number}", endpoint(&plain, 7000 + number))
            });
        }
        let mut answers: Vec<String> = (1..=MANY).map(|_| many.client.receive(socket).unwrap()).collect();
        answers.sort();
        expected.sort();
        assert_eq!(answers, expected);
    }
}

/// An answer bears its backend's address alone, so the frontend that was asked last is told. One that answers
/// before the other is asked is told right.
fn two_frontends_of_one_backend_answer_as_the_later() {
    let world = World::new();
    let node = world.node();
    let mut many = Many::new(&world, &node);
    for (kind, address) in DATAGRAMS {
        let socket = many.client.socket(kind).unwrap();
        let both = [1, MANY + 1].map(|number| endpoint(&address(number), NAMES));
        for to in &both {
            many.client.send_to(socket, to).unwrap();
            assert_eq!(many.client.receive(socket).unwrap(), format!("{to} b1"));
        }
        for to in &both {
            many.client.send_to(socket, to).unwrap();
        }
        for _ in &both {
            assert_eq!(many.client.receive(socket).unwrap(), format!("{} b1", both[1]));
        }
    }
}

/// The question went out under one generation, the answer is read under another that has no such row; a socket
/// that is connected speaks on with its backend, and says that it is the frontend.
fn l11_an_answer_after_a_swap_is_the_frontends() {
    let world = World::new();
    let node = world.node();
    let mut many = Many::new(&world, &node);
    let asked: Vec<_> = DATAGRAMS
        .into_iter()
        .map(|(kind, address)| {
            let to = endpoint(&address(1), NAMES);
            let [sent, connected] = [0, 1].map(|_| many.client.socket(kind).unwrap());
            many.client.send_to(sent, &to).unwrap();
            many.client.connect_socket(connected, &to).unwrap();
            (to, sent, connected)
        })
        .collect();
    let other = address_policy("other", ("192.0.2.9", 9, "TCP"), 9, "");
    let changed = world.apply_here(&world.image("other", &other), &world.inventory_of(&[], "")).ends(0);
    assert_eq!(changed.json()["changed"], true);
    for (to, sent, connected) in asked {
        assert_eq!(many.client.receive(sent).unwrap(), format!("{to} b1"));
        many.client.send(connected).unwrap();
        assert_eq!(many.client.receive(connected).unwrap(), format!("{to} b1"));
        assert_eq!(many.client.peer_of(connected).unwrap(), to);
    }
}

/// D6: every datagram of a socket goes to the same backend, connected or not, and sockets share the backends.
fn d06_a_socket_keeps_to_one_of_several_backends() {
    let world = World::new();
    let node = world.node();
    let shop = pod(&node, "shop");
    let labels = "app: backend";
    let backends = ["a", "b", "c"].map(|name| node.pod(Spec { name, labels, ..Spec::default() }).unwrap());
    for backend in &backends {
        backend.serve(NAMES, &backend.name).unwrap();
    }
    let policies = FRONTENDS.map(|frontend| policy(frontend, NAMES, "UDP"));
    let [a, b, c] = &backends;
    let inventory = world.inventory_of(&[&shop, a, b, c], "");
    world.apply_here(&world.image("several", &policies.join("---\n")), &inventory).ends(0);
    let mut client = shop.client().unwrap();
    for (kind, frontend) in [(Kind::Udp4, FRONTENDS[0]), (Kind::Udp6, FRONTENDS[1])] {
        let to = endpoint(frontend, NAMES);
        let mut met = BTreeSet::new();
        for _ in 0..50 {
            let socket = client.socket(kind).unwrap();
            let mut answers = BTreeSet::new();
            for _ in 0..4 {
                client.send_to(socket, &to).unwrap();
                answers.insert(client.receive(socket).unwrap());
            }
            client.connect_socket(socket, &to).unwrap();
            client.send(socket).unwrap();
            answers.insert(client.receive(socket).unwrap());
            assert_eq!(answers.len(), 1, "{answers:?}");
            met.append(&mut answers);
        }
        assert_eq!(met.into_iter().collect::<Vec<_>>(), ["a", "b", "c"].map(|name| format!("{to} {name}")));
    }
}

/// To another frontend, then nowhere, then straight to the backend: nothing is remembered of the one before.
fn a_socket_is_connected_again() {
    let world = World::new();
    let node = world.node();
    let mut many = Many::new(&world, &node);
    for ((kind, address), family) in DATAGRAMS.into_iter().zip([0, 1, 0]) {
        let plain = many.backend.addresses[family].to_string();
        let plain = if matches!((kind, family), (Kind::Udp6, 0)) { mapped(&plain) } else { plain };
        let straight = endpoint(&plain, 7001);
        let client = &mut many.client;
        let socket = client.socket(kind).unwrap();
        let speak = |client: &mut Client, to: &str, name: &str| {
            client.connect_socket(socket, to).unwrap();
            client.send(socket).unwrap();
            assert_eq!(client.receive(socket).unwrap(), format!("{to} {name}"));
            assert_eq!(client.peer_of(socket).unwrap(), to);
        };
        for number in [1, 2, 1] {
            speak(client, &endpoint(&address(number), NAMES), &format!("b{number}"));
        }
        speak(client, &straight, "b1");
        speak(client, &endpoint(&address(1), NAMES), "b1");
        client.disconnect(socket).unwrap();
        client.send_to(socket, &straight).unwrap();
        assert_eq!(client.receive(socket).unwrap(), format!("{straight} b1"), "sent after a disconnect");
        speak(client, &straight, "b1");
        // Datagrams have a memory of their own: it does not say for whom a later connect was.
        client.disconnect(socket).unwrap();
        client.send_to(socket, &endpoint(&address(1), NAMES)).unwrap();
        assert_eq!(client.receive(socket).unwrap(), format!("{} b1", endpoint(&address(1), NAMES)));
        client.send_to(socket, &straight).unwrap();
        assert_eq!(client.receive(socket).unwrap(), format!("{straight} b1"), "sent straight, not connected");
    }
}

/// Hooks follow the cgroup in which a socket was made. A runtime starts processes in the pod's cgroup, so
/// only sockets that were handed over are concerned.
fn a_socket_from_before_its_cgroup_has_no_hook() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    scene.apply();
    let mut client = scene.shop.outsider().unwrap();
    let before = client.socket(Kind::Udp4).unwrap();
    client.enter(scene.shop.cgroup()).unwrap();
    let after = client.socket(Kind::Udp4).unwrap();
    for (socket, name) in [(before, "original"), (after, "backend")] {
        let to = endpoint(FRONTENDS[0], NAMES);
        client.connect_socket(socket, &to).unwrap();
        client.send(socket).unwrap();
        assert_eq!(client.receive(socket).unwrap(), format!("{to} {name}"));
    }
}

/// A multipath connection goes to the backend. The hook sees the socket of its first path and not the one
/// that the program holds, so getpeername says the backend.
fn mptcp_is_redirected() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    scene.apply();
    let mut client = scene.shop.client().unwrap();
    let socket = client.socket(Kind::Mptcp4).unwrap();
    client.connect_socket(socket, &endpoint(FRONTENDS[0], NAMES)).unwrap();
    assert_eq!(client.receive(socket).unwrap(), "nobody backend");
    let backend = endpoint(&scene.backend.addresses[0].to_string(), NAMES);
    assert_eq!(client.peer_of(socket).unwrap(), backend);
}
