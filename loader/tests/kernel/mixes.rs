//! No connection sees parts of two sets, and the test that says so can tell.
//!
//! The two sets put the frontend's backends at different places of the backend table, behind backends that
//! belong to another frontend. So whoever reads the frontends of one set and the backends of the other ends
//! at a stranger, or at no backend at all.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

use aya::maps::MapData;
use lrpc_linker::MapSet;
use lrpc_linker::mapset::{Backend, Outcome, Row};
use lrpc_loader::node::Existing;
use lrpc_schema::image::Port;
use testkit::{Client, Place, Server};

use crate::Test;
use crate::raw::overwrite;
use crate::world::{FRONTEND, NEW, OLD, World, image, options, row, set};

pub(crate) const TESTS: &[Test] =
    &[("a_swap_shows_no_mix", a_swap_shows_no_mix), ("the_detector_sees_a_mix", the_detector_sees_a_mix)];

const SWAPS: usize = 60;
const OLD_TOO: &str = "10.244.1.3:80";
const NEW_TOO: &str = "10.244.1.4:80";
const STRANGERS: [&str; 2] = ["10.244.9.1:80", "10.244.9.2:80"];
/// Sorts before the frontend, so its backends come first in the table.
const OTHER_FRONTEND: &str = "169.254.1.1:80";

fn row_of(frontend: &str, backends: [&str; 2]) -> Row {
    let backends = backends.map(|backend| {
        let address: SocketAddr = backend.parse().unwrap();
        Backend { address: address.ip(), port: Port::new(address.port()).unwrap(), pods: vec![] }
    });
    Row { outcome: Outcome::Redirect(backends.to_vec()), ..row(frontend, OLD) }
}

fn sets() -> [MapSet; 2] {
    let old = set(&[row_of(FRONTEND, [OLD, OLD_TOO])]);
    let new = set(&[row_of(OTHER_FRONTEND, STRANGERS), row_of(FRONTEND, [NEW, NEW_TOO])]);
    [old, new]
}

fn world() -> World {
    let world = World::new();
    for address in [OLD_TOO, NEW_TOO, STRANGERS[0], STRANGERS[1]] {
        let server: SocketAddr = address.parse().unwrap();
        world.sandbox.add_address(&format!("{}/32", server.ip())).unwrap();
        Server::start(server, address).unwrap();
    }
    world
}

fn a_swap_shows_no_mix() {
    let (world, sets) = (world(), sets());
    world.node.apply(&image(0), &sets[0], &options(), &mut |_| {}).unwrap();
    let mut pod = Client::start(Place::Cgroup(world.sandbox.cgroup())).unwrap();
    pod.storm("tcp", FRONTEND).unwrap();
    for swap in 1..=SWAPS {
        world.node.apply(&image(0), &sets[swap % 2], &options(), &mut |_| {}).unwrap();
    }
    let storm = pod.calm().unwrap();
    assert_eq!(storm.failures, Default::default());
    let answered: BTreeSet<&str> = storm.answers.keys().map(String::as_str).collect();
    assert_eq!(answered, BTreeSet::from([OLD, OLD_TOO, NEW, NEW_TOO]), "{storm:?}");
}

/// The control: one outer map is updated in the active slot and the other is not, as a loader without a
/// cell would leave it between two updates.
fn the_detector_sees_a_mix() {
    let (world, sets) = (world(), sets());
    for set in &sets {
        world.node.apply(&image(0), set, &options(), &mut |_| {}).unwrap();
    }
    world.node.rollback(None, Existing::Keep).unwrap();
    let slot = u32::from(world.node.dump().unwrap().slot.get());
    let tables = world.sandbox.bpffs().join("v2");
    let other = MapData::from_pin(tables.join("generations/2/backends")).unwrap();
    let outer = MapData::from_pin(tables.join("outer/backends")).unwrap();
    overwrite(outer.fd().as_fd(), slot, &other.fd().as_fd().as_raw_fd().to_ne_bytes()).unwrap();

    let mut pod = Client::start(Place::Cgroup(world.sandbox.cgroup())).unwrap();
    let met = (0..100).map(|_| pod.connect("tcp", FRONTEND).unwrap().name);
    assert!(met.into_iter().any(|name| STRANGERS.contains(&name.as_str())), "no mix was seen");
}
