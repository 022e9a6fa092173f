//! Programs that connect over TCP.

use super::{Scene, Servers, compiled, script};
use crate::Test;
use crate::world::World;

pub(crate) const TESTS: &[Test] = &[
    ("programs_curl", curl),
    ("programs_asyncio_streams", asyncio_streams),
    ("programs_tcp_fast_open", tcp_fast_open),
    ("programs_io_uring_connect", io_uring_connect),
];

/// curl says from `getpeername` with whom it spoke.
fn curl() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Web);
    let curl = |frontend: &str| {
        let host = if frontend.contains(':') { format!("[{frontend}]") } else { frontend.into() };
        let said = " %{remote_ip} %{remote_port}";
        ["curl", "--silent", "--max-time", "10", "--write-out", said, &format!("http://{host}/")]
            .map(str::to_owned)
            .to_vec()
    };
    scene.hears_of_both(curl, |name, frontend| format!("{name} {frontend} 80"));
}

fn asyncio_streams() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    scene.hears_of_both(|frontend| script("asyncio_stream.py", &[frontend, "7"]), from);
}

/// Both ways, with the question in the SYN: the program fails without.
fn tcp_fast_open() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    let program = compiled(&world, &["gcc"], "fastopen.c");
    for way in ["connect", "sendto"] {
        let fast_open = |frontend: &str| [&program, way, frontend, "7"].map(str::to_owned).to_vec();
        scene.hears_of_both(fast_open, from);
    }
}

fn io_uring_connect() {
    let world = World::new();
    let node = world.node();
    let scene = Scene::new(&world, &node, Servers::Names);
    let program = compiled(&world, &["gcc", "-luring"], "io_uring.c");
    scene.hears_of_both(|frontend| [&program, "tcp", frontend, "7"].map(str::to_owned).to_vec(), from);
}

/// A server's name behind the address that was asked for.
pub(super) fn from(name: &str, frontend: &str) -> String {
    format!("{frontend} {name}")
}
