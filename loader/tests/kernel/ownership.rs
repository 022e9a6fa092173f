//! The pin directory is one instance's own: what others keep in one is left alone, and loaders that come at
//! once share it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use aya::maps::MapData;
use lrpc_loader::fs::FsError;
use lrpc_loader::node::{Error, Existing, Node, NodeDirs};
use rustix::mount::{UnmountFlags, unmount};

use crate::Test;
use crate::world::{FRONTEND, OLD, World, image, options, row, set};

pub(crate) const TESTS: &[Test] = &[
    (
        "a_directory_of_others_is_refused_and_left_as_it_is",
        a_directory_of_others_is_refused_and_left_as_it_is,
    ),
    ("a_directory_of_a_later_version_is_refused", a_directory_of_a_later_version_is_refused),
    ("an_empty_directory_is_taken", an_empty_directory_is_taken),
    ("loaders_that_race_mount_once", loaders_that_race_mount_once),
];

fn node(world: &World, bpffs: &Path) -> Node {
    Node::new(NodeDirs {
        cgroup: Some(world.sandbox.cgroup().to_owned()),
        bpffs: bpffs.to_owned(),
        state: world.sandbox.folder().join("other-state"),
    })
}

/// Every command, as far as it came; all of them would fail.
fn refusals(node: &Node) -> Vec<Error> {
    vec![
        node.apply(&image(0), &set(&[row(FRONTEND, OLD)]), &options(), &mut |_| {}).unwrap_err(),
        node.rollback(None, Existing::Keep).unwrap_err(),
        node.unload().unwrap_err(),
        node.status().unwrap_err(),
        node.verify(None).unwrap_err(),
        node.dump().unwrap_err(),
        node.history().unwrap_err(),
    ]
}

/// The files and directories below, files with the number of what is pinned there.
fn content(folder: &Path) -> BTreeMap<String, Option<u32>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let map = MapData::from_pin(&path).ok().map(|map| map.info().unwrap().id());
            found.insert(path.display().to_string(), map);
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// Another tool's folders are called as ours are, and its pins by the names of our hooks.
fn a_directory_of_others_is_refused_and_left_as_it_is() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let theirs = world.sandbox.bpf_mount().join("theirs");
    for (folder, name) in [("links", "connect4"), ("programs", "a"), ("state", "peers_v1"), ("v2", "cell")] {
        fs::create_dir_all(theirs.join(folder)).unwrap();
        let map = MapData::from_pin(world.sandbox.bpffs().join("v2/cell")).unwrap();
        map.pin(theirs.join(folder).join(name)).unwrap();
    }
    let before = content(&theirs);
    assert_eq!(before.values().flatten().count(), 4);
    for error in refusals(&node(&world, &theirs)) {
        assert!(matches!(error, Error::Pins(FsError::Foreign { .. })), "{error:?}");
        let said = error.with_causes();
        for word in [&*theirs.to_string_lossy(), "`links`, `programs`, `state` and 1 more"] {
            assert!(said.contains(word), "{said}");
        }
        assert_eq!(error.remedy().unwrap(), format!("--bpffs {}", theirs.join("lrpc").display()));
    }
    // The mount itself, which everyone may write.
    for error in refusals(&node(&world, &world.sandbox.bpf_mount())) {
        assert!(error.with_causes().contains("`lrpc`"), "{error:?}");
    }
    assert_eq!(content(&theirs), before);
    world.node.unload().unwrap();
    // The remedy, followed.
    let own = node(&world, &theirs.join("lrpc"));
    own.apply(&image(0), &set(&[row(FRONTEND, OLD)]), &options(), &mut |_| {}).unwrap();
    assert_eq!(world.reached(), OLD);
    own.unload().unwrap();
    let after: BTreeMap<_, _> =
        content(&theirs).into_iter().filter(|(path, _)| !path.contains("/lrpc")).collect();
    assert_eq!(after, before.into_iter().filter(|(path, _)| !path.contains("/lrpc")).collect());
}

fn a_directory_of_a_later_version_is_refused() {
    let world = World::new();
    fs::create_dir_all(world.sandbox.bpffs().join("lrpc-instance-2/kept")).unwrap();
    let before = content(&world.sandbox.bpffs());
    for error in refusals(&world.node) {
        assert!(matches!(error, Error::Later { layout: 2, .. }), "{error:?}");
        assert!(error.remedy().is_some());
    }
    assert_eq!(content(&world.sandbox.bpffs()), before);
}

fn an_empty_directory_is_taken() {
    let world = World::new();
    fs::create_dir(world.sandbox.bpffs()).unwrap();
    assert!(world.node.status().unwrap().active.is_none());
    assert_eq!(world.node.unload().unwrap().removed.links, 0);
    assert_eq!(content(&world.sandbox.bpffs()).len(), 0, "who only looks makes nothing");
    world.apply(OLD).unwrap();
    assert_eq!(world.reached(), OLD);
    world.node.unload().unwrap();
    assert_eq!(world.pinned(), [] as [&str; 0]);
    // The lock outlives what it protects.
    assert!(world.sandbox.bpffs().join("lrpc-instance-1").is_dir());
    world.apply(OLD).unwrap();
    world.whole();
}

/// First loads that come at once, where no bpffs is mounted yet, mount one; and whoever waited goes on.
fn loaders_that_race_mount_once() {
    const LOADERS: usize = 4;
    let world = World::new();
    let bpffs = world.sandbox.folder().join("own");
    for round in 0..10 {
        let mounted = Mounted(&bpffs);
        let node = node(&world, &bpffs);
        let start = Barrier::new(LOADERS);
        thread::scope(|scope| {
            for _ in 0..LOADERS {
                scope.spawn(|| {
                    start.wait();
                    let rows = set(&[row(FRONTEND, OLD)]);
                    node.apply(&image(0), &rows, &options(), &mut |_| {}).unwrap();
                });
            }
        });
        assert_eq!(world.reached(), OLD);
        node.unload().unwrap();
        assert_eq!(world.reached(), "original", "round {round}: a program is left");
        assert_eq!(mounted.unmount(), 1, "round {round}");
    }
}

/// A directory that loaders mount on; nothing stays mounted when it is dropped.
struct Mounted<'a>(&'a Path);

impl Mounted<'_> {
    /// Unmounts everything there and says how many file systems lay one over the other.
    fn unmount(&self) -> usize {
        (0..9).take_while(|_| unmount(self.0, UnmountFlags::DETACH).is_ok()).count()
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        self.unmount();
    }
}
