//! Loaders that race: one after the other, each on what the one before left, whatever that was.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use lrpc_loader::node::{ApplyOptions, Error, Expect};
use lrpc_schema::image::Digest;

use crate::Test;
use crate::world::{FRONTEND, NEW, OLD, World, image, options, row, set};

pub(crate) const TESTS: &[Test] =
    &[("racing_loaders_fail_for_no_false_reason", racing_loaders_fail_for_no_false_reason)];

/// How long they race. `LRPC_RACE_SECONDS` makes it longer.
const SECONDS: u64 = 5;

/// Five that apply, one that unloads, one whose apply fails on purpose, one that only looks.
fn racing_loaders_fail_for_no_false_reason() {
    let world = World::new();
    let seconds = std::env::var("LRPC_RACE_SECONDS").ok().map_or(SECONDS, |seconds| seconds.parse().unwrap());
    let (over, applied, unloaded) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let node = &world.node;
    let apply = |backend, options: &ApplyOptions| {
        node.apply(&image(0), &set(&[row(FRONTEND, backend)]), options, &mut |_| {})
    };
    let race = |work: &dyn Fn()| {
        while !over.load(Ordering::Relaxed) {
            work();
        }
    };
    thread::scope(|scope| {
        for index in 0..5 {
            let (race, apply, applied) = (&race, &apply, &applied);
            scope.spawn(move || {
                race(&|| match apply([OLD, NEW][index % 2], &options()) {
                    Ok(_) => drop(applied.fetch_add(1, Ordering::Relaxed)),
                    // True where eight share two cores and one of them waits for five seconds.
                    Err(Error::Busy { .. }) => {}
                    Err(error) => panic!("an apply failed: {}", error.with_causes()),
                });
            });
        }
        scope.spawn(|| {
            race(&|| match node.unload() {
                Ok(unload) => drop(unloaded.fetch_add(unload.removed.links / 2, Ordering::Relaxed)),
                Err(Error::Busy { .. }) => {}
                Err(error) => panic!("an unload failed: {}", error.with_causes()),
            });
        });
        scope.spawn(|| {
            let wrong = ApplyOptions { expect: Some(Expect::Digest(Digest::new([7; 32]))), ..options() };
            race(&|| match apply(OLD, &wrong) {
                Err(Error::Expectation { .. } | Error::Busy { .. }) => {}
                other => panic!("an expectation was not looked at: {other:?}"),
            });
        });
        scope.spawn(|| {
            race(&|| match node.status() {
                Ok(_) | Err(Error::Busy { .. }) => {}
                Err(error) => panic!("a look failed: {}", error.with_causes()),
            });
        });
        thread::sleep(Duration::from_secs(seconds));
        over.store(true, Ordering::Relaxed);
    });
    let (applied, unloaded) = (applied.into_inner(), unloaded.into_inner());
    assert!(applied > 0 && unloaded > 0, "{applied} applies, {unloaded} unloads");
    // No program is left, and no second lock: what comes now goes through.
    node.unload().unwrap();
    assert_eq!((world.reached(), world.pinned()), ("original".to_owned(), Vec::new()));
    world.apply(NEW).unwrap();
    assert_eq!(world.reached(), NEW);
    world.whole();
}
