//! Who has decisions told, and that nobody pays for it else: the switch beside the cell, as the kernel holds it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aya::maps::{Array, Map, MapData};
use lrpc_loader::node::{End, Error, Existing, Monitor, Next, Node};
use lrpc_schema::image::Protocol;
use testkit::{Client, Place};

use crate::Test;
use crate::world::{FRONTEND, NEW, OLD, World, image, options, row, set};

pub(crate) const TESTS: &[Test] = &[
    ("decisions_are_told_while_somebody_watches", decisions_are_told_while_somebody_watches),
    ("what_a_killed_watcher_left_on_is_put_out", what_a_killed_watcher_left_on_is_put_out),
    ("a_full_ring_loses_decisions_and_counts_them", a_full_ring_loses_decisions_and_counts_them),
    ("a_watch_ends_with_what_is_loaded", a_watch_ends_with_what_is_loaded),
    ("counts_go_with_the_last_generation_that_has_the_frontend", counts_go_with_the_last_generation),
];

/// The words beside each other in the cell's map.
fn cell(world: &World) -> Array<MapData, u64> {
    let map = MapData::from_pin(world.sandbox.bpffs().join("v2/cell")).unwrap();
    Array::try_from(Map::Array(map)).unwrap()
}

fn is_on(world: &World) -> bool {
    cell(world).get(&1, 0).unwrap() != 0
}

/// The next decision, within a time that nothing here needs.
fn next(monitor: &mut Monitor<'_>) -> Next {
    monitor.next(Some(Instant::now() + Duration::from_secs(20))).unwrap()
}

/// What is there already.
fn at_once(monitor: &mut Monitor<'_>) -> Next {
    monitor.next(Some(Instant::now() + Duration::from_millis(50))).unwrap()
}

fn decisions_are_told_while_somebody_watches() {
    let world = World::new();
    world.apply(OLD).unwrap();
    assert!(!is_on(&world));
    world.reached();
    let mut monitor = world.node.monitor().unwrap();
    assert!(is_on(&world));
    assert_eq!(at_once(&mut monitor), Next::End(End::Time), "what was decided before is told to nobody");
    assert!(matches!(world.node.monitor(), Err(Error::Watched(_))));

    let mut pod = Client::start(Place::Cgroup(world.sandbox.cgroup())).unwrap();
    pod.connect("tcp", FRONTEND).unwrap();
    // A swap does not disturb it, nor does it put the switch out.
    world.apply(NEW).unwrap();
    assert!(is_on(&world));
    pod.connect("tcp", FRONTEND).unwrap();
    for backend in [OLD, NEW] {
        let Next::Told(told) = next(&mut monitor) else { panic!("nothing is told") };
        assert_eq!((told.decision, told.audit, told.lost), ("redirected", false, 0), "{told:?}");
        assert_eq!(told.frontend, format!("{FRONTEND}/TCP"));
        assert_eq!(told.backend, Some(backend.parse().unwrap()));
        assert_eq!(told.policy.as_deref(), Some("default/metadata"));
        assert_eq!(told.process, u64::from(pod.process()));
        assert_eq!(told.by.cgroup.as_deref(), Some(&*world.sandbox.cgroup().display().to_string()));
    }
    drop(monitor);
    assert!(!is_on(&world), "free when off");
    assert_eq!(watch_again(&world).lost().unwrap(), 0);
    world.whole();
}

/// Watches once nobody else does. A process that another test starts holds a lock of ours between its fork and its
/// exec.
fn watch_again(world: &World) -> Monitor<'_> {
    for _ in 0..1000 {
        match world.node.monitor() {
            Err(Error::Watched(_)) => std::thread::sleep(Duration::from_millis(10)),
            monitor => return monitor.unwrap(),
        }
    }
    panic!("somebody still watches");
}

/// A watcher that ends without a word leaves its switch on: the next loader puts it out, unless somebody watches.
fn what_a_killed_watcher_left_on_is_put_out() {
    let world = World::new();
    world.apply(OLD).unwrap();
    for mend in [
        |world: &World| drop(world.apply(NEW).unwrap()),
        |world: &World| drop(world.node.rollback(None, Existing::Keep).unwrap()),
        // An apply that changes nothing mends as well.
        |world: &World| drop(world.apply(OLD).unwrap()),
    ] {
        cell(&world).set(1, 1, 0).unwrap();
        world.node.status().unwrap();
        assert!(is_on(&world), "who only looks changes nothing");
        mend(&world);
        assert!(!is_on(&world));
    }
    // Whoever watches next takes over, and puts it out at the end.
    cell(&world).set(1, 1, 0).unwrap();
    drop(world.node.monitor().unwrap());
    assert!(!is_on(&world));
}

/// More decisions than the ring holds, while nobody reads: none is waited for, each that is lost is counted.
fn a_full_ring_loses_decisions_and_counts_them() {
    const CONNECTS: usize = 2_000;
    let world = World::new();
    world.apply(OLD).unwrap();
    let mut monitor = world.node.monitor().unwrap();
    let mut pod = Client::start(Place::Cgroup(world.sandbox.cgroup())).unwrap();
    for _ in 0..CONNECTS {
        pod.connect("tcp", FRONTEND).unwrap();
    }
    let mut told = 0;
    while let Next::Told(_) = at_once(&mut monitor) {
        told += 1;
    }
    let lost = monitor.lost().unwrap();
    assert!(told > 1_000 && lost > 0, "{told} told, {lost} lost");
    assert_eq!(told + lost, CONNECTS as u64);
    pod.connect("tcp", FRONTEND).unwrap();
    let Next::Told(after) = next(&mut monitor) else { panic!("nothing is told") };
    assert_eq!(after.lost, lost, "each line says how many are missing before it");
    drop(monitor);
    assert_eq!(world.node.monitor().unwrap().lost().unwrap(), 0, "what others have lost is not this one's");
    // Lost decisions are no frontend's.
    let counters = world.node.dump_with_counters().unwrap().counters.unwrap();
    assert_eq!((counters.len(), counters[0].tally.redirected), (1, CONNECTS as u64 + 1));
}

fn a_watch_ends_with_what_is_loaded() {
    let world = World::new();
    assert!(matches!(world.node.monitor(), Err(Error::NothingLoaded)));
    world.apply(OLD).unwrap();
    let mut monitor = world.node.monitor().unwrap();
    world.node.unload().unwrap();
    assert_eq!(next(&mut monitor), Next::End(End::Unloaded));
    // It is nobody's business any more.
    world.apply(OLD).unwrap();
    let other = world.node.monitor().unwrap();
    drop(monitor);
    assert!(is_on(&world));
    drop(other);
    assert!(!is_on(&world));
}

/// Counts outlive swaps for as long as a rollback could need them, and no longer.
fn counts_go_with_the_last_generation() {
    let world = World::new();
    let other = "169.254.169.253:8080";
    let apply = |frontends: &[&str], backend| {
        let rows: Vec<_> = frontends.iter().map(|frontend| row(frontend, backend)).collect();
        world.node.apply(&image(0), &set(&rows), &options(), &mut |_| {}).unwrap();
    };
    let counted = |node: &Node| -> BTreeMap<String, (u64, bool)> {
        let counters = node.dump_with_counters().unwrap().counters.unwrap();
        let of = |tally: lrpc_loader::node::FrontendTally| {
            assert_eq!(tally.protocol, Protocol::Tcp);
            (tally.address.to_string(), (tally.tally.redirected, tally.policy.is_some()))
        };
        counters.into_iter().map(of).collect()
    };
    let is = |counts: &[(&str, u64, bool)]| -> BTreeMap<String, (u64, bool)> {
        counts.iter().map(|(address, count, active)| ((*address).to_owned(), (*count, *active))).collect()
    };
    apply(&[FRONTEND, other], OLD);
    let mut pod = Client::start(Place::Cgroup(world.sandbox.cgroup())).unwrap();
    for frontend in [FRONTEND, other, other] {
        pod.connect("tcp", frontend).unwrap();
    }
    assert_eq!(counted(&world.node), is(&[("169.254.169.253", 2, true), ("169.254.169.254", 1, true)]));
    apply(&[FRONTEND], OLD);
    assert_eq!(counted(&world.node), is(&[("169.254.169.253", 2, false), ("169.254.169.254", 1, true)]));
    world.node.rollback(None, Existing::Keep).unwrap();
    assert_eq!(counted(&world.node), is(&[("169.254.169.253", 2, true), ("169.254.169.254", 1, true)]));
    apply(&[FRONTEND], NEW);
    apply(&[FRONTEND], OLD);
    assert_eq!(counted(&world.node), is(&[("169.254.169.254", 1, true)]), "no generation has it any more");
}
