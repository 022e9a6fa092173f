//! What `verify` and `status` notice, and what the next apply mends.

use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;

use aya::maps::MapData;
use lrpc_loader::node::{Difference, Where};
use lrpc_schema::records::{Cell, Hook, Slot};

use crate::Test;
use crate::raw::{Foreign, overwrite};
use crate::world::{NEW, OLD, World, n, row, set};

pub(crate) const TESTS: &[Test] = &[
    ("a_missing_link_is_noticed_and_mended", a_missing_link_is_noticed_and_mended),
    ("a_foreign_link_is_noticed_and_mended", a_foreign_link_is_noticed_and_mended),
    ("a_changed_slot_is_noticed", a_changed_slot_is_noticed),
    ("a_cell_that_names_nothing_is_noticed", a_cell_that_names_nothing_is_noticed),
    ("a_published_table_cannot_be_written", a_published_table_cannot_be_written),
    ("verify_compares_with_a_map_set", verify_compares_with_a_map_set),
    ("maps_of_another_shape_are_refused", maps_of_another_shape_are_refused),
];

fn pin(world: &World, name: &str) -> PathBuf {
    world.sandbox.bpffs().join(name)
}

#[track_caller]
fn only_difference(world: &World) -> Difference {
    let verified = world.node.verify(None).unwrap();
    assert!(!verified.ok);
    let [difference] = &verified.differences[..] else { panic!("{:?}", verified.differences) };
    difference.clone()
}

fn a_missing_link_is_noticed_and_mended() {
    let world = World::new();
    world.apply(OLD).unwrap();
    std::fs::remove_file(pin(&world, "links/connect4")).unwrap();
    let difference = only_difference(&world);
    assert_eq!((difference.place, difference.name.as_str()), (Where::Link, "connect4"));
    assert_eq!(world.node.status().unwrap().differences, [difference]);
    let hooks = world.node.status().unwrap().active.unwrap().hooks;
    assert_eq!((hooks.len(), hooks.contains(&"connect4".to_owned())), (Hook::ALL.len() - 1, false));
    // The same set again is no empty gesture then.
    assert!(world.apply(OLD).unwrap().changed);
    world.whole();
    assert_eq!(world.reached(), OLD);
}

fn a_foreign_link_is_noticed_and_mended() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let foreign = Foreign::passing(Hook::Connect4);
    std::fs::remove_file(pin(&world, "links/connect4")).unwrap();
    foreign.pin_link(world.sandbox.cgroup(), &pin(&world, "links/connect4"));
    let difference = only_difference(&world);
    assert_eq!((difference.place, difference.name.as_str()), (Where::Link, "connect4"));
    assert!(difference.found.contains("not lrpc's"), "{difference:?}");
    world.apply(OLD).unwrap();
    world.whole();
    assert_eq!(world.reached(), OLD);
}

fn a_changed_slot_is_noticed() {
    let world = World::new();
    world.apply(OLD).unwrap();
    world.apply(NEW).unwrap();
    let slot = u32::from(world.node.dump().unwrap().slot.get());
    let earlier = MapData::from_pin(pin(&world, "v2/generations/1/frontends")).unwrap();
    let outer = MapData::from_pin(pin(&world, "v2/outer/frontends")).unwrap();
    let fd = earlier.fd().as_fd().as_raw_fd().to_ne_bytes();
    overwrite(outer.fd().as_fd(), slot, &fd).unwrap();
    let difference = only_difference(&world);
    assert_eq!(difference.place, Where::Cell, "no resident set sits in that slot: {difference:?}");
    assert!(!world.node.status().unwrap().is_active);
    // Packets are served from that slot, so it is left alone until another one is active.
    world.apply(NEW).unwrap();
    world.whole();
    assert_eq!(world.reached(), NEW);
}

fn a_cell_that_names_nothing_is_noticed() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let cell = MapData::from_pin(pin(&world, "v2/cell")).unwrap();
    overwrite(cell.fd().as_fd(), 0, &Cell::new(n(9), Slot::new(0)).word().to_ne_bytes()).unwrap();
    assert_eq!(only_difference(&world).place, Where::Cell);
    assert!(!world.node.status().unwrap().is_active);
    assert_eq!(world.apply(NEW).unwrap().status.active.unwrap().generation, n(10));
    world.whole();
}

fn a_published_table_cannot_be_written() {
    let world = World::new();
    world.apply(OLD).unwrap();
    for table in ["backends", "meta"] {
        let map = MapData::from_pin(pin(&world, &format!("v2/generations/1/{table}"))).unwrap();
        let error = overwrite(map.fd().as_fd(), 0, &[0; 8192]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied, "{table}");
    }
}

fn verify_compares_with_a_map_set() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let of = |backend| set(&[row(crate::world::FRONTEND, backend)]);
    assert!(world.node.verify(Some(&of(OLD))).unwrap().ok);
    let other = world.node.verify(Some(&of(NEW))).unwrap();
    assert!(!other.ok && other.differences[0].place == Where::Map, "{other:?}");
}

fn maps_of_another_shape_are_refused() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let outer = pin(&world, "v2/outer/frontends");
    std::fs::remove_file(&outer).unwrap();
    MapData::from_pin(pin(&world, "v2/generations/1/meta")).unwrap().pin(&outer).unwrap();
    let error = world.apply(NEW).unwrap_err();
    assert!(matches!(error, lrpc_loader::node::Error::Shape { .. }), "{error:?}");
    assert_eq!(world.reached(), OLD, "nothing changed");
    world.node.unload().unwrap();
    world.apply(NEW).unwrap();
    assert_eq!(world.reached(), NEW);
}
