//! A loader that dies anywhere leaves the old set or the new one, whole, and the next run cleans up.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use lrpc_loader::node::{Error, Existing, Step};
use lrpc_schema::records::{Hook, Table};

use crate::Test;
use crate::world::{FRONTEND, NEW, OLD, World, image, n, options, row, set};

pub(crate) const TESTS: &[Test] = &[
    ("death_at_each_step_of_a_first_load", death_at_each_step_of_a_first_load),
    ("death_at_each_step_of_a_swap", death_at_each_step_of_a_swap),
    ("death_at_each_step_of_an_upgrade", death_at_each_step_of_an_upgrade),
    ("deaths_in_a_row_after_the_flip", deaths_in_a_row_after_the_flip),
    ("half_a_staged_generation_is_discarded", half_a_staged_generation_is_discarded),
    ("a_failed_step_is_undone", a_failed_step_is_undone),
    ("two_loaders_do_not_meet", two_loaders_do_not_meet),
];

/// Applies a set and dies before the step of this number; false where there is no such step. Unwinding
/// closes descriptors and gives the lock back, which is all that the end of a process does.
fn die_before(world: &World, backend: &str, number: usize) -> bool {
    let mut taken = 0;
    let watch = &mut |_: &Step| {
        if taken == number {
            // Without the message of a panic.
            resume_unwind(Box::new("dies here, as the test wants it"));
        }
        taken += 1;
    };
    let rows = set(&[row(FRONTEND, backend)]);
    catch_unwind(AssertUnwindSafe(|| world.node.apply(&image(0), &rows, &options(), watch).unwrap())).is_err()
}

/// Asserts that what is left is whole, whether or not anything cleans it up, and that the next apply works.
#[track_caller]
fn recovers(world: &World, number: usize, before: &str, after: &str) {
    let reached = world.reached();
    assert!(reached == before || reached == after, "step {number}: {reached}");
    let active = world.node.status().unwrap();
    assert_eq!(active.is_active, reached != "original", "step {number}");
    if active.is_active {
        // Programs of two versions may be attached, and both serve the set.
        assert!(world.node.verify(None).unwrap().differences.is_empty(), "step {number}");
    }
    let next = world.apply(OLD).unwrap();
    assert!(next.troubles.is_empty(), "step {number}: {:?}", next.troubles);
    assert_eq!(world.reached(), OLD);
    world.whole();
    let leftovers: Vec<_> = world.pinned().into_iter().filter(|pin| pin.contains("staging")).collect();
    assert_eq!(leftovers, [] as [&str; 0], "step {number}");
    let resident = next.status.active.unwrap().resident;
    if let Some(active) = active.active {
        assert!(resident.contains(&active.generation), "step {number}: what was active is gone");
    }
    let pins = world.pinned().iter().filter(|pin| pin.contains("generations")).count();
    assert_eq!(pins, resident.len() * Table::ALL.len(), "step {number}: {:?}", world.pinned());
}

fn death_at_each_step_of_a_first_load() {
    let world = World::new();
    let mut steps = 0;
    while die_before(&world, NEW, steps) {
        recovers(&world, steps, "original", NEW);
        world.node.unload().unwrap();
        assert_eq!(world.pinned(), [] as [&str; 0]);
        steps += 1;
    }
    assert!(steps >= 19, "only {steps} steps");
}

fn death_at_each_step_of_a_swap() {
    let world = World::new();
    // Two resident generations, so that one of them is retired by the swap.
    world.apply(NEW).unwrap();
    world.apply(OLD).unwrap();
    let mut steps = 0;
    while die_before(&world, NEW, steps) {
        recovers(&world, steps, OLD, NEW);
        steps += 1;
    }
    assert!(steps >= 9, "only {steps} steps");
}

/// Loaders that die between the flip and the retirement of earlier generations leave ever more of them, until
/// no slot is empty. The next one makes room.
fn deaths_in_a_row_after_the_flip() {
    let world = World::new();
    let mut evictions = 0;
    for round in 0..8 {
        let backend = if round % 2 == 0 { OLD } else { NEW };
        let planned = world.node.preview(&set(&[row(FRONTEND, backend)]), &options()).unwrap().steps;
        evictions += planned.iter().filter(|step| matches!(step, Step::Wait)).count();
        let flip = planned.iter().position(|step| matches!(step, Step::Flip { .. })).unwrap();
        die_before(&world, backend, flip + 2);
        assert_eq!(world.reached(), backend, "round {round}");
        world.whole();
    }
    assert!(evictions >= 2, "every slot was taken {evictions} times");
    let next = world.apply(OLD).unwrap();
    assert_eq!(next.status.active.unwrap().resident.len(), 2);
    world.whole();
}

/// The programs of this binary pass for those of another version once their directory has another name.
fn age_programs(world: &World) {
    let programs = world.sandbox.bpffs().join("programs");
    let version = std::fs::read_dir(&programs).unwrap().flatten().next().unwrap().file_name();
    std::fs::rename(programs.join(&version), programs.join("f".repeat(64))).unwrap();
}

fn death_at_each_step_of_an_upgrade() {
    let world = World::new();
    world.apply(OLD).unwrap();
    age_programs(&world);
    let planned = world.node.preview(&set(&[row(FRONTEND, OLD)]), &options()).unwrap().steps;
    let replaced = planned.iter().filter(|step| matches!(step, Step::Replace { .. })).count();
    assert_eq!(replaced, Hook::ALL.len(), "{planned:?}");
    let mut steps = 0;
    while die_before(&world, NEW, steps) {
        recovers(&world, steps, OLD, NEW);
        let versions = std::fs::read_dir(world.sandbox.bpffs().join("programs")).unwrap().count();
        assert_eq!(versions, 1, "step {steps}");
        age_programs(&world);
        steps += 1;
    }
    assert!(steps >= 19, "only {steps} steps");
}

/// A loader that died in the middle of pinning, or of removing, leaves a directory without all tables.
fn half_a_staged_generation_is_discarded() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let tables = world.sandbox.bpffs().join("v2");
    for half in ["staging/7", "generations/8"] {
        std::fs::create_dir(tables.join(half)).unwrap();
        let map = aya::maps::MapData::from_pin(tables.join("generations/1/meta")).unwrap();
        map.pin(tables.join(half).join("meta")).unwrap();
    }
    assert_eq!(world.node.status().unwrap().active.unwrap().resident, [n(1)]);
    assert!(matches!(world.node.rollback(Some(n(8)), Existing::Keep), Err(Error::NoSuchGeneration { .. })));
    let next = world.apply(NEW).unwrap().status.active.unwrap();
    assert_eq!(next.resident, [n(1), next.generation]);
    assert!(!tables.join("staging/7").exists() && !tables.join("generations/8").exists());
    world.whole();
}

fn a_failed_step_is_undone() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let before = world.pinned();
    // A directory in the way of the pins of the generation that comes.
    let in_the_way = world.sandbox.bpffs().join("v2/staging/2");
    let watch = &mut |step: &Step| {
        if matches!(step, Step::Pin { .. }) {
            std::fs::create_dir_all(in_the_way.join("backends")).unwrap();
        }
    };
    let failed = world.node.apply(&image(0), &set(&[row(FRONTEND, NEW)]), &options(), watch);
    assert!(matches!(failed, Err(Error::Kernel(_))), "{failed:?}");
    assert_eq!(world.pinned(), before);
    assert_eq!(world.reached(), OLD);
    world.whole();
    let event = &world.node.history().unwrap()[0];
    assert_eq!(event.result, lrpc_loader::state::Outcome::Failed);
    assert!(event.error.as_ref().is_some_and(|error| error.contains("BPF_OBJ_PIN")), "{event:?}");
    assert_eq!(world.apply(NEW).unwrap().status.active.unwrap().generation, n(3), "2 was used");
}

fn two_loaders_do_not_meet() {
    let world = World::new();
    let rows = set(&[row(FRONTEND, OLD)]);
    let mut second = None;
    let watch = &mut |step: &Step| {
        if *step == Step::Seal {
            second = Some(world.apply(NEW));
        }
    };
    world.node.apply(&image(0), &rows, &options(), watch).unwrap();
    let Some(Err(error @ Error::Busy { .. })) = second else { panic!("{second:?}") };
    assert!(error.to_string().contains(&*world.sandbox.bpffs().to_string_lossy()), "{error}");
    assert_eq!(world.reached(), OLD);
}
