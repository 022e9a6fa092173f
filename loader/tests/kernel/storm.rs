//! Millions of connects and datagrams against thousands of swaps: none of them sees parts of two sets, and a storm that
//! is made to see some says so.
//!
//! Every set sends one frontend to two backends whose addresses say the set's number, and puts them at another place of
//! the backend table than the sets before and after it. So whoever takes the place out of one set and the backend out
//! of another ends at a stranger, or at no backend at all. What a call met, its own socket says
//! ([`testkit::Rush`]).

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use aya::maps::MapData;
use lrpc_linker::MapSet;
use lrpc_linker::mapset::{Backend, Outcome, Row};
use lrpc_schema::image::{Port, Protocol};
use lrpc_schema::records::{self, ABI_VERSION, Cell, FrontendKey, FrontendValue, Slot};
use testkit::{Client, Place, Rush, Storm};

use crate::Test;
use crate::careless::{Between, careless};
use crate::raw::{like, overwrite, put};
use crate::world::{OLD, World, image, n, options, row, set};

pub(crate) const TESTS: &[Test] = &[
    ("a_storm_of_swaps_shows_no_mix", a_storm_of_swaps_shows_no_mix),
    ("a_storm_of_flips_shows_no_mix", a_storm_of_flips_shows_no_mix),
    ("a_second_look_at_the_cell_shows_mixes", a_second_look_at_the_cell_shows_mixes),
    ("two_outer_updates_show_mixes", two_outer_updates_show_mixes),
    ("a_slot_reused_at_once_shows_mixes", a_slot_reused_at_once_shows_mixes),
];

const FRONTEND: &str = "169.254.169.254:53";
/// Numbers of sets that are told apart by the place of their backends.
const PLACES: u32 = 7;
/// What the first octets of a backend's address say; the others are the set's number.
const BACKENDS: [[u8; 2]; 2] = [[10, 244], [10, 245]];
const STRANGERS: [[u8; 2]; 2] = [[10, 246], [10, 247]];
const RANGE: &str = "10.244.0.0/14";

/// How many calls a control makes; a thousandth of them is enough to see something.
const CALLS_OF_A_CONTROL: u64 = 100_000;

/// How many swaps and how many calls: `LRPC_STORM_SWAPS`, `LRPC_STORM_CALLS`.
fn size() -> (u32, u64) {
    (variable("LRPC_STORM_SWAPS", 100), variable("LRPC_STORM_CALLS", 500_000))
}

fn variable<T: FromStr>(name: &str, otherwise: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => otherwise,
    }
}

/// The address of a backend of a set.
fn address(backend: [u8; 2], set: u32) -> SocketAddr {
    let ([a, b], [_, _, c, d]) = (backend, set.to_be_bytes());
    SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), 53)
}

/// The set whose backend has an address.
fn set_of(address: &str) -> Option<u32> {
    let [a, b, c, d] = address.parse::<Ipv4Addr>().ok()?.octets();
    BACKENDS.contains(&[a, b]).then_some(u32::from_be_bytes([0, 0, c, d]))
}

/// A set: frontends that sort before the frontend and have two backends each, then the frontend.
fn numbered(number: u32) -> MapSet {
    let of = |frontend: String, backends: [[u8; 2]; 2]| {
        let backends = backends.map(|backend| {
            let address = address(backend, number);
            Backend { address: address.ip(), port: Port::new(address.port()).unwrap(), pods: vec![] }
        });
        let mut row = Row { outcome: Outcome::Redirect(backends.to_vec()), ..row(&frontend, OLD) };
        row.frontend.protocol = Protocol::Udp;
        row
    };
    let before = (1..=number % PLACES).map(|other| of(format!("169.254.1.{other}:53"), STRANGERS));
    set(&before.chain([of(FRONTEND.to_owned(), BACKENDS)]).collect::<Vec<_>>())
}

fn world() -> World {
    let world = World::new();
    world.sandbox.add_range(RANGE).unwrap();
    world
}

fn apply(world: &World, number: u32) -> Slot {
    world.node.apply(&image(0), &numbered(number), &options(), &mut |_| {}).unwrap();
    world.node.dump().unwrap().slot
}

/// Where the shared maps are pinned.
pub(crate) fn tables(world: &World) -> PathBuf {
    world.sandbox.bpffs().join(format!("v{ABI_VERSION}"))
}

fn frontend() -> SocketAddr {
    FRONTEND.parse().unwrap()
}

fn key() -> FrontendKey {
    FrontendKey::new(frontend().ip(), frontend().port(), Protocol::Udp)
}

/// How many calls were answered, and how many met no set or parts of two. A datagram that was sent and not received says
/// neither: every set's port is the server's, which listens on every address. Linux 6.18 loses one in some million, with
/// a count of `NoPorts`, while other sockets of the node connect, which moves them from one chain of its table to another
/// under the eyes of who looks for the server.
fn judge(storm: &Storm) -> (u64, u64) {
    let all: u64 = storm.answers.values().chain(storm.failures.values()).sum();
    let lost = storm.failures.get(Rush::LOST).copied().unwrap_or_default();
    assert!(lost <= 1 + all / 100_000, "{lost} of {all} datagrams were lost");
    let whole = storm.answers.iter().filter(|(address, _)| set_of(address).is_some());
    (all, all - lost - whole.map(|(_, count)| count).sum::<u64>())
}

#[track_caller]
fn assert_whole(storms: &[Storm], least: u64) {
    let mut met = BTreeSet::new();
    let (mut all, mut mixed) = (0, 0);
    for storm in storms {
        let (calls, mixes) = judge(storm);
        all += calls;
        mixed += mixes;
        met.extend(storm.answers.keys().filter_map(|address| set_of(address)));
    }
    let strange = || -> Vec<_> {
        let answers = storms.iter().flat_map(|storm| &storm.answers).filter(|(at, _)| set_of(at).is_none());
        answers.chain(storms.iter().flat_map(|storm| &storm.failures)).collect()
    };
    assert_eq!(mixed, 0, "of {all}: {:?}", strange());
    assert!(all >= least && met.len() > 1, "{all} calls met {} sets", met.len());
    eprintln!("{all} calls met {} sets, none two", met.len());
}

#[track_caller]
fn assert_mixed(storm: &Storm) {
    let (all, mixed) = judge(storm);
    assert!(mixed > 0, "none of {all} calls met parts of two sets");
    eprintln!("{mixed} of {all} calls met parts of two sets");
}

/// Every swap is an apply: the next set is staged in a slot that another has left.
fn a_storm_of_swaps_shows_no_mix() {
    let (world, (swaps, calls)) = (world(), size());
    apply(&world, 1);
    let mut rushes = [Rush::Connect, Rush::Send].map(|call| {
        let mut pod = Client::start(Place::Cgroup(world.sandbox.cgroup())).unwrap();
        pod.rush(call, frontend(), calls / 2).unwrap();
        pod
    });
    for number in 2..=swaps + 1 {
        world.node.apply(&image(0), &numbered(number), &options(), &mut |_| {}).unwrap();
    }
    assert_whole(&rushes.each_mut().map(|pod| pod.calm().unwrap()), calls);
}

/// What goes on while a cell flips as fast as the system call returns.
fn flipping<R>(world: &World, meanwhile: impl FnOnce() -> R) -> R {
    let cells = [1, 2].map(|number| Cell::new(n(u64::from(number)), apply(world, number)));
    let cell = MapData::from_pin(tables(world).join("cell")).unwrap();
    let calm = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for to in cells.iter().cycle().take_while(|_| !calm.load(Ordering::Relaxed)) {
                overwrite(cell.fd().as_fd(), 0, &to.word().to_ne_bytes()).unwrap();
            }
        });
        // Else the scope would wait for ever where an assertion fails.
        let _calm = AtEnd(&calm);
        meanwhile()
    })
}

/// Says that it is over when it is dropped.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Calls in a cgroup.
fn rush(cgroup: &Path, call: Rush, calls: u64) -> Storm {
    let mut pod = Client::start(Place::Cgroup(cgroup)).unwrap();
    pod.rush(call, frontend(), calls).unwrap();
    pod.calm().unwrap()
}

/// Nothing is staged here, so that there are a thousand times as many flips as an apply could make.
fn a_storm_of_flips_shows_no_mix() {
    let (world, (_, calls)) = (world(), size());
    let calls = calls / 5;
    let storms = flipping(&world, || {
        [Rush::Connect, Rush::Send].map(|call| rush(world.sandbox.cgroup(), call, calls / 2))
    });
    assert_whole(&storms, calls);
}

/// A program of [`careless`] in a cgroup of its own below the sandbox's.
fn attach(world: &World, between: Between) -> (OwnedFd, PathBuf) {
    careless(&tables(world), world.sandbox.cgroup(), key(), between).unwrap()
}

/// The control: the same flips, and a program that reads the cell for each table.
fn a_second_look_at_the_cell_shows_mixes() {
    let world = world();
    let storm = flipping(&world, || {
        let (_link, cgroup) = attach(&world, Between::SecondLook);
        // The processor may be the same as the one that flips, and then no flip comes between for a while.
        let mut storms = (0..20).map(|_| rush(&cgroup, Rush::Connect, CALLS_OF_A_CONTROL));
        storms.find(|storm| judge(storm).1 > 0)
    });
    assert_mixed(&storm.expect("no mix was seen"));
}

/// The control: a loader without a cell puts one table after the other into the active slot.
fn two_outer_updates_show_mixes() {
    let world = world();
    apply(&world, 1);
    let slot = u32::from(apply(&world, 2).get());
    let tables = tables(&world);
    let open = |name: String| MapData::from_pin(tables.join(name)).unwrap();
    let mut pod = Client::start(Place::Cgroup(world.sandbox.cgroup())).unwrap();
    pod.rush(Rush::Connect, frontend(), 0).unwrap();
    for generation in [1, 2, 1, 2, 1, 2] {
        for table in ["frontends", "backends"] {
            let (outer, inner) =
                (open(format!("outer/{table}")), open(format!("generations/{generation}/{table}")));
            overwrite(outer.fd().as_fd(), slot, &inner.fd().as_fd().as_raw_fd().to_ne_bytes()).unwrap();
        }
    }
    assert_mixed(&pod.calm().unwrap());
}

/// The control: a loader that writes the next set into the slot which the last flip has left, without a grace period.
/// A run that read the cell before that flip still looks into the slot: ours is seldom slow enough to be met by a system
/// call, so one that takes its time stands in for it. It takes tables that can be written in place, since every outer
/// update waits for a grace period itself.
fn a_slot_reused_at_once_shows_mixes() {
    let world = world();
    let slots = [1, 2].map(|number| apply(&world, number));
    let tables = tables(&world);
    let open = |name: &str| MapData::from_pin(tables.join(name)).unwrap();
    let (cell, frontends, backends) = (open("cell"), open("outer/frontends"), open("outer/backends"));
    let own = slots.map(|slot| {
        let own = [("frontends", &frontends), ("backends", &backends)].map(|(table, outer)| {
            let own = like(&open(&format!("generations/2/{table}"))).unwrap();
            overwrite(outer.fd().as_fd(), slot.get().into(), &own.as_raw_fd().to_ne_bytes()).unwrap();
            own
        });
        (slot, own)
    });
    let write = |number: u32| {
        let (slot, [frontends, backends]) = &own[number as usize % 2];
        for place in 0..2 {
            for (index, strangers) in (0..).zip(STRANGERS) {
                let own = if place == number / 2 % 2 { BACKENDS[index as usize] } else { strangers };
                let to = address(own, number);
                let value = records::Backend::new(to.ip(), to.port()).to_bytes();
                overwrite(backends.as_fd(), place * 2 + index, &value).unwrap();
            }
        }
        let to = address(BACKENDS[0], number);
        let first = records::Backend::new(to.ip(), to.port());
        let value = FrontendValue::redirect(2, number / 2 % 2 * 2, first).to_bytes();
        put(frontends.as_fd(), &key().to_bytes(), &value).unwrap();
        Cell::new(n(u64::from(number)), *slot)
    };
    let flip = |to: Cell| overwrite(cell.fd().as_fd(), 0, &to.word().to_ne_bytes()).unwrap();
    flip(write(2));
    let (_link, cgroup) = attach(&world, Between::Time);
    let mut pod = Client::start(Place::Cgroup(&cgroup)).unwrap();
    pod.rush(Rush::Connect, frontend(), CALLS_OF_A_CONTROL).unwrap();
    let storm = thread::scope(|scope| {
        let storm = scope.spawn(|| pod.calm().unwrap());
        for number in (2..=u32::from(u16::MAX)).cycle().take_while(|_| !storm.is_finished()) {
            flip(write(number));
        }
        storm.join().unwrap()
    });
    assert_mixed(&storm);
}
