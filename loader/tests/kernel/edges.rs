//! The edges of the transaction on the running kernel: lost and exchanged pins, hooks that are missing, names
//! that are no text. Every call that fails is in the unit tests, on the twin of the kernel.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use aya::maps::MapData;
use lrpc_loader::node::{Error, Existing, Expect, Node, NodeDirs};
use lrpc_schema::image::Digest;
use lrpc_schema::records::Hook;

use crate::Test;
use crate::raw::{Foreign, order};
use crate::world::{FRONTEND, NEW, OLD, World, image, n, of_service, options, row, set};

pub(crate) const TESTS: &[Test] = &[
    ("a_rollback_mends_a_missing_hook", a_rollback_mends_a_missing_hook),
    ("a_lost_cell_pin_costs_no_traffic", a_lost_cell_pin_costs_no_traffic),
    ("another_cell_in_its_place_is_not_believed", another_cell_in_its_place_is_not_believed),
    ("what_is_not_ours_does_not_stop_an_unload", what_is_not_ours_does_not_stop_an_unload),
    ("a_cgroup_whose_path_is_no_text_can_be_redirected", a_cgroup_whose_path_is_no_text_can_be_redirected),
    ("a_neighbour_before_ours_is_said_and_refused", a_neighbour_before_ours_is_said_and_refused),
    ("ours_are_no_neighbours", ours_are_no_neighbours),
];

/// Fault 11: what a rollback makes active is also what is redirected.
fn a_rollback_mends_a_missing_hook() {
    let world = World::new();
    world.apply(OLD).unwrap();
    world.apply(NEW).unwrap();
    std::fs::remove_file(world.sandbox.bpffs().join("links/connect4")).unwrap();
    // The kernel takes the program off some time after the last pin has gone.
    let is_off = || world.reached() == "original";
    assert!((0..1000).any(|_| is_off() || {
        std::thread::sleep(Duration::from_millis(10));
        false
    }));
    let back = world.node.rollback(None, Existing::Keep).unwrap();
    assert_eq!((back.changed, back.status.differences), (true, vec![]));
    assert_eq!(world.reached(), OLD);
    world.whole();
}

/// Fault 17: what is served goes on, and its successor takes over in one step.
fn a_lost_cell_pin_costs_no_traffic() {
    let world = World::new();
    world.apply(OLD).unwrap();
    std::fs::remove_file(world.sandbox.bpffs().join("v2/cell")).unwrap();
    let expect =
        lrpc_loader::node::ApplyOptions { expect: Some(Expect::Digest(Digest::new([7; 32]))), ..options() };
    let refused = world.node.apply(&image(0), &set(&[row(FRONTEND, NEW)]), &expect, &mut |_| {});
    assert!(matches!(refused, Err(Error::Expectation { found: None, .. })), "{refused:?}");
    assert!(matches!(world.node.rollback(None, Existing::Keep), Err(Error::Orphaned("cell"))));
    let status = world.node.status().unwrap();
    assert!(!status.is_active && !status.differences.is_empty(), "{status:?}");
    assert_eq!(world.reached(), OLD);
    world.apply(NEW).unwrap();
    assert_eq!(world.reached(), NEW);
    world.whole();
    assert_eq!(order(world.sandbox.cgroup(), Hook::Connect4).len(), 1, "one program of ours, not two");
}

/// Fault 15: `verify` and `rollback` ask which maps the attached programs use.
fn another_cell_in_its_place_is_not_believed() {
    let world = World::new();
    world.apply(OLD).unwrap();
    world.apply(NEW).unwrap();
    // A cell of the same shape, of another instance.
    let below = world.sandbox.cgroup().join("other");
    std::fs::create_dir(&below).unwrap();
    let bpffs = world.sandbox.bpf_mount().join("other");
    let other = Node::new(NodeDirs {
        cgroup: Some(below),
        bpffs: bpffs.clone(),
        state: world.sandbox.folder().join("other-state"),
    });
    other.apply(&image(0), &set(&[row(FRONTEND, OLD)]), &options(), &mut |_| {}).unwrap();
    let pin = world.sandbox.bpffs().join("v2/cell");
    std::fs::remove_file(&pin).unwrap();
    MapData::from_pin(bpffs.join("v2/cell")).unwrap().pin(&pin).unwrap();
    let verified = world.node.verify(None).unwrap();
    assert!(!verified.ok && !verified.differences.is_empty(), "{verified:?}");
    assert!(!world.node.status().unwrap().is_active);
    assert!(matches!(world.node.rollback(None, Existing::Keep), Err(Error::Orphaned(_))));
    assert_eq!(world.reached(), NEW);
    world.apply(OLD).unwrap();
    assert_eq!(world.reached(), OLD);
    world.whole();
}

/// Fault 21: a foreign map among the links, and a name that is not UTF-8, are left and told.
fn what_is_not_ours_does_not_stop_an_unload() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let root = world.sandbox.bpffs();
    let cell = MapData::from_pin(root.join("v2/cell")).unwrap();
    cell.pin(root.join("links/somebodys")).unwrap();
    let odd = root.join(OsStr::from_bytes(b"odd\xff"));
    std::fs::create_dir(&odd).unwrap();
    let unloaded = world.node.unload().unwrap();
    assert_eq!(unloaded.removed.links, Hook::ALL.len());
    let [Error::Left { names, .. }] = &unloaded.troubles[..] else { panic!("{unloaded:?}") };
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(world.reached(), "original");
    assert!(root.join("links/somebodys").exists() && odd.exists());
    std::fs::remove_file(root.join("links/somebodys")).unwrap();
    std::fs::remove_dir(&odd).unwrap();
    assert!(world.node.unload().unwrap().troubles.is_empty());
}

/// Fault 18.
fn a_cgroup_whose_path_is_no_text_can_be_redirected() {
    let mut world = World::new();
    let below = world.sandbox.cgroup().join(OsStr::from_bytes(b"pod\xff"));
    std::fs::create_dir(&below).unwrap();
    world.node = Node::new(NodeDirs {
        cgroup: Some(below.clone()),
        bpffs: world.sandbox.bpffs(),
        state: world.sandbox.state(),
    });
    world.apply(OLD).unwrap();
    world.whole();
    assert!(world.node.status().unwrap().is_active);
    let mut pod = testkit::Client::start(testkit::Place::Cgroup(&below)).unwrap();
    assert_eq!(pod.connect("tcp", FRONTEND).unwrap().name, OLD);
    world.node.unload().unwrap();
}

/// Fault 13: the order on the hook is looked at by every apply, and by who looks.
fn a_neighbour_before_ours_is_said_and_refused() {
    let world = World::new();
    let services = |backend| set(&[of_service(row(FRONTEND, backend))]);
    world.node.apply(&image(0), &services(OLD), &options(), &mut |_| {}).unwrap();
    world.whole();
    let mut neighbour = Foreign::passing(Hook::Connect4);
    neighbour.go_before(world.sandbox.cgroup());
    let status = world.node.status().unwrap();
    assert!(status.is_active && status.differences.len() == 1, "{status:?}");
    assert!(status.differences[0].found.contains("behind 1 program"), "{status:?}");
    assert!(!world.node.verify(None).unwrap().ok);
    let refused = world.node.apply(&image(0), &services(NEW), &options(), &mut |_| {});
    assert!(matches!(refused, Err(Error::Behind { others: 1, .. })), "{refused:?}");
    assert_eq!(world.node.status().unwrap().active.unwrap().generation, n(1));
}

/// Fault 21: `doctor` names programs of others only.
fn ours_are_no_neighbours() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let hooks = || world.doctor("hooks").into_iter().map(|check| check.found).collect::<Vec<_>>();
    assert_eq!(hooks(), ["no other program"]);
    let mut neighbour = Foreign::passing(Hook::Connect4);
    neighbour.share(world.sandbox.cgroup());
    let place = world.sandbox.cgroup().display();
    let named = format!("`lb_connect4 (id {})` on connect4", neighbour.id());
    assert_eq!(hooks(), [format!("1 program behind ours on `{place}`: {named}")]);
}
