//! Other programs on the same hooks, and cgroups that are not the loaded one.

use lrpc_loader::node::{Error, Node, NodeDirs, Verdict};

use crate::Test;
use crate::raw::{Neighbour, order};
use crate::world::{FRONTEND, OLD, World, image, of_service, options, row, set};

pub(crate) const TESTS: &[Test] = &[
    ("an_exclusive_program_is_refused_by_name", an_exclusive_program_is_refused_by_name),
    ("an_override_program_above_is_refused", an_override_program_above_is_refused),
    ("ours_runs_before_a_neighbour", ours_runs_before_a_neighbour),
    ("another_cgroup_is_refused", another_cgroup_is_refused),
];

/// A folder on the scratch bpffs for a neighbour's own maps.
fn neighbour(world: &World) -> Neighbour {
    let maps = world.sandbox.bpf_mount().join("neighbour");
    std::fs::create_dir_all(&maps).unwrap();
    Neighbour::load(&maps)
}

#[track_caller]
fn refused(world: &World, sharing: &str) {
    let error = world.apply(OLD).unwrap_err();
    assert!(matches!(error, Error::Held(_)), "{error:?}");
    let said = error.to_string();
    assert!(said.contains(sharing) && said.contains("connect4"), "{said}");
    assert!(said.contains(&*world.sandbox.cgroup().to_string_lossy()), "{said}");
    assert!(error.remedy().is_some());
    assert_eq!(world.pinned(), [] as [&str; 0], "something was left");
    assert_eq!(world.reached(), "original");
    let doctor = world.node.doctor();
    let hooks = doctor.iter().find(|check| check.name == "hooks").unwrap();
    assert!(hooks.verdict == Verdict::Fail && hooks.fix.is_some(), "{hooks:?}");
}

fn an_exclusive_program_is_refused_by_name() {
    let world = World::new();
    neighbour(&world).hold(world.sandbox.cgroup(), 0);
    refused(&world, "exclusive program `connect4");
}

fn an_override_program_above_is_refused() {
    let mut world = World::new();
    neighbour(&world).hold(world.sandbox.cgroup(), 1);
    let below = world.sandbox.cgroup().join("pod");
    std::fs::create_dir(&below).unwrap();
    world.node = Node::new(NodeDirs {
        cgroup: Some(below),
        bpffs: world.sandbox.bpffs(),
        state: world.sandbox.state(),
    });
    refused(&world, "override program `connect4");
}

/// A service load balancer rewrites a Service's address, so ours must run first.
fn ours_runs_before_a_neighbour() {
    let world = World::new();
    let mut neighbour = neighbour(&world);
    neighbour.share(world.sandbox.cgroup());
    let rows = set(&[of_service(row(FRONTEND, OLD))]);
    world.node.apply(&image(0), &rows, &options(), &mut |_| {}).unwrap();
    let running = order(world.sandbox.cgroup());
    assert_eq!((running.len(), running[1]), (2, neighbour.id()), "{running:?}");
    assert_eq!(world.reached(), OLD);
    world.whole();
    world.node.unload().unwrap();
    assert_eq!(order(world.sandbox.cgroup()), [neighbour.id()], "a neighbour stays");
}

fn another_cgroup_is_refused() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let below = world.sandbox.cgroup().join("pod");
    std::fs::create_dir(&below).unwrap();
    let other = Node::new(NodeDirs {
        cgroup: Some(below.clone()),
        bpffs: world.sandbox.bpffs(),
        state: world.sandbox.state(),
    });
    let refused = other.apply(&image(0), &set(&[row(FRONTEND, OLD)]), &options(), &mut |_| {}).unwrap_err();
    assert!(matches!(&refused, Error::OtherCgroup { wanted, .. } if *wanted == below), "{refused:?}");
    world.whole();
}
