//! Programs that send datagrams, most of them from sockets that are not connected.

use super::streams::from;
use super::{FRONTENDS, NAMES, Scene, Servers, compiled, script};
use crate::Test;
use crate::world::World;

pub(crate) const TESTS: &[Test] = &[
    ("programs_netcat_udp", netcat_udp),
    ("programs_asyncio_datagrams", asyncio_datagrams),
    ("programs_io_uring_datagrams", io_uring_datagrams),
    ("programs_sendmmsg", sendmmsg),
    ("the_error_queue_names_the_backend", the_error_queue_names_the_backend),
];

fn netcat_udp() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    let netcat = |frontend: &str| {
        let ask = format!("echo who? | nc -u -W 1 -w 10 {frontend} 7");
        ["sh", "-c", &ask].map(str::to_owned).to_vec()
    };
    scene.hears_of_both(netcat, |name, _| name.to_owned());
}

fn asyncio_datagrams() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    for mode in ["connected", "unconnected"] {
        scene.hears_of_both(|frontend| script("asyncio_datagram.py", &[mode, frontend, "7"]), from);
    }
}

fn io_uring_datagrams() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    let program = compiled(&world, &["gcc", "-luring"], "io_uring.c");
    scene.hears_of_both(|frontend| [&program, "udp", frontend, "7"].map(str::to_owned).to_vec(), from);
}

/// One call to a redirected address and an untouched one: each answer comes from where it was asked.
fn sendmmsg() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    let program = compiled(&world, &["gcc"], "sendmmsg.c");
    scene.shop.serve(NAMES, "shop").unwrap();
    let plain = scene.shop.addresses.map(|address| address.to_string());
    scene.apply();
    for (frontend, plain) in FRONTENDS.into_iter().zip(&plain) {
        let said = scene.program(&[&program, "7", frontend, plain, frontend]);
        let mut said: Vec<&str> = said.lines().collect();
        said.sort_unstable();
        let (redirected, untouched) = (from("backend", frontend), from("shop", plain));
        let mut expected = [&*redirected, &untouched, &redirected];
        expected.sort_unstable();
        assert_eq!(said, expected);
    }
}

/// What the kernel notes of an ICMP error passes no hook.
fn the_error_queue_names_the_backend() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Web);
    let ask = script("error_queue.py", &[FRONTENDS[0], "80"]);
    let ask: Vec<&str> = ask.iter().map(String::as_str).collect();
    assert_eq!(scene.program(&ask), format!("{} 80", FRONTENDS[0]), "nobody listens over UDP there");
    scene.apply();
    assert_eq!(scene.program(&ask), format!("{} 80", scene.backend.addresses[0]));
}
