//! Generations come, stay and go: numbers, slots, records, names, rights.

use lrpc_loader::node::{ApplyOptions, Error, Existing, Step};
use lrpc_loader::state::{Action, Outcome};
use lrpc_schema::records::{Generation, Hook, Table};
use testkit::{Client, Place};

use crate::Test;
use crate::world::{FRONTEND, NEW, OLD, World, image, n, options, row, set};

pub(crate) const TESTS: &[Test] = &[
    ("apply_rollback_unload", apply_rollback_unload),
    ("slots_are_reused_and_numbers_are_not", slots_are_reused_and_numbers_are_not),
    ("more_generations_can_be_kept", more_generations_can_be_kept),
    ("an_equal_set_is_recorded_without_a_swap", an_equal_set_is_recorded_without_a_swap),
    ("tables_may_be_empty_or_large", tables_may_be_empty_or_large),
    ("a_dump_without_names_says_what_the_maps_say", a_dump_without_names_says_what_the_maps_say),
    ("a_preview_changes_nothing", a_preview_changes_nothing),
    ("a_state_directory_that_cannot_be_written_changes_nothing", state_cannot_be_written),
    ("history_lost_after_the_flip_is_no_failure", history_lost_after_the_flip_is_no_failure),
];

fn apply_rollback_unload() {
    let world = World::new();
    assert!(!world.node.status().unwrap().is_active);
    assert_eq!(world.reached(), "original");
    let first = world.apply(OLD).unwrap();
    assert_eq!((first.previous, first.changed), (None, true));
    assert!(first.troubles.is_empty(), "{:?}", first.troubles);
    world.whole();
    assert_eq!(world.reached(), OLD);
    let mut outside = Client::start(Place::Outside).unwrap();
    assert_eq!(outside.connect("tcp", FRONTEND).unwrap().name, "original");
    assert_eq!(world.apply(NEW).unwrap().previous, Some(n(1)));
    assert_eq!(world.reached(), NEW);
    let back = world.node.rollback(None, Existing::Keep).unwrap();
    assert_eq!((back.previous, back.status.active.unwrap().generation), (Some(n(2)), n(1)));
    assert_eq!(world.reached(), OLD);
    world.whole();
    let again = world.node.rollback(None, Existing::Keep).unwrap();
    assert_eq!(again.status.active.unwrap().generation, n(2), "what was active before the present one");
    let removed = world.node.unload().unwrap().removed;
    // The cell, an outer map for each table, four maps that outlive generations, and two generations of tables.
    let (hooks, tables) = (Hook::ALL.len(), Table::ALL.len());
    assert_eq!((removed.links, removed.maps), (hooks, 1 + tables + 4 + 2 * tables));
    assert_eq!(world.pinned(), [] as [&str; 0]);
    assert_eq!(world.reached(), "original");
    assert_eq!(world.node.unload().unwrap().removed.links, 0);
    let actions: Vec<_> = world.node.history().unwrap().iter().map(|event| event.action).collect();
    assert_eq!(actions, [Action::Unload, Action::Rollback, Action::Rollback, Action::Apply, Action::Apply]);
}

/// More swaps than slots, with rollbacks between: every generation finds an empty slot, two stay.
fn slots_are_reused_and_numbers_are_not() {
    let world = World::new();
    let mut last = None;
    for swap in 0..12 {
        let backend = [OLD, NEW][swap % 2];
        let applied = world.apply(backend).unwrap();
        assert!(applied.troubles.is_empty(), "{:?}", applied.troubles);
        let active = applied.status.active.unwrap();
        assert!(Some(active.generation) > last && active.resident.len() <= 2, "{active:?}");
        last = Some(active.generation);
        if swap % 3 == 1 {
            world.node.rollback(None, Existing::Keep).unwrap();
            last = Some(world.apply(backend).unwrap().status.active.unwrap().generation);
        }
        world.whole();
    }
    world.node.unload().unwrap();
    let again = world.apply(OLD).unwrap().status.active.unwrap();
    assert_eq!(
        Some(again.generation),
        last.and_then(Generation::next),
        "numbers ascend over an unload, as the history knows them"
    );
}

fn more_generations_can_be_kept() {
    let world = World::new();
    let keep = |keep| ApplyOptions { keep: Some(keep), ..options() };
    let apply = |backend, keep: &ApplyOptions| {
        world.node.apply(&image(0), &set(&[row(FRONTEND, backend)]), keep, &mut |_| {})
    };
    for swap in 0..6 {
        apply([OLD, NEW][swap % 2], &keep(4)).unwrap();
    }
    assert_eq!(world.node.status().unwrap().active.unwrap().resident, [3, 4, 5, 6].map(n));
    assert!(matches!(apply(OLD, &keep(2)), Err(Error::Keep { fixed: 4, wanted: 2 })));
    world.node.rollback(Some(n(3)), Existing::Keep).unwrap();
    assert_eq!(world.reached(), OLD);
}

fn an_equal_set_is_recorded_without_a_swap() {
    let world = World::new();
    let rows = set(&[row(FRONTEND, OLD)]);
    let apply = |number| world.node.apply(&image(number), &rows, &options(), &mut |_| {}).unwrap();
    apply(1);
    let same = apply(1);
    assert_eq!((same.changed, same.previous), (false, Some(n(1))));
    assert_eq!(world.node.history().unwrap().len(), 1, "nothing happened");
    let other = apply(2);
    assert!(!other.changed);
    let active = world.node.status().unwrap().active.unwrap();
    assert_eq!((active.generation, active.image), (n(1), image(2).digest()));
    assert_eq!(world.node.history().unwrap()[0].image, image(2).digest());
    assert_eq!(world.node.image().unwrap().unwrap(), image(2).bytes());
    world.whole();
    // A swap and a rollback later the amended record still speaks for the generation.
    world.apply(NEW).unwrap();
    world.node.rollback(None, Existing::Keep).unwrap();
    assert_eq!(world.node.status().unwrap().active.unwrap().image, image(2).digest());
}

fn tables_may_be_empty_or_large() {
    let world = World::new();
    let apply = |rows: &[_]| world.node.apply(&image(0), &set(rows), &options(), &mut |_| {}).unwrap();
    apply(&[]);
    assert_eq!(world.reached(), "original");
    world.whole();
    let many: Vec<_> = (0..10_000_u32)
        .map(|n| row(&format!("169.254.{}.{}:80", n / 250, n % 250 + 1), OLD))
        .chain([row(FRONTEND, NEW)])
        .collect();
    apply(&many);
    assert_eq!(world.reached(), NEW);
    world.whole();
    assert_eq!(world.node.dump().unwrap().frontends.len(), 10_001);
}

fn a_dump_without_names_says_what_the_maps_say() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let dump = world.node.dump().unwrap();
    let shown = &dump.frontends[0];
    assert_eq!(shown.policy.as_deref(), Some("default/metadata"));
    assert_eq!(shown.backends[0].pods.as_deref(), Some(&["default/agent".to_owned()][..]));
    std::fs::remove_dir_all(world.sandbox.state()).unwrap();
    let dump = world.node.dump().unwrap();
    let shown = &dump.frontends[0];
    assert_eq!((shown.address.to_string(), shown.port), ("169.254.169.254".to_owned(), 8080));
    assert_eq!((shown.state_name(), shown.backends[0].port), ("redirect", 80));
    assert_eq!((&shown.policy, &shown.clients, &shown.backends[0].pods), (&None, &None, &None));
}

fn a_preview_changes_nothing() {
    let world = World::new();
    let rows = set(&[row(FRONTEND, OLD)]);
    let planned = world.node.preview(&rows, &options()).unwrap().steps;
    assert_eq!(world.pinned(), [] as [&str; 0]);
    let mut taken = Vec::new();
    world.node.apply(&image(0), &rows, &options(), &mut |step| taken.push(step.clone())).unwrap();
    assert_eq!(planned, taken);
    assert_eq!(world.node.preview(&rows, &options()).unwrap().steps, [], "nothing would change");
}

fn state_cannot_be_written() {
    let world = World::new();
    std::fs::write(world.sandbox.state(), "a file").unwrap();
    assert!(matches!(world.apply(OLD), Err(Error::State(_))));
    assert_eq!(world.pinned(), [] as [&str; 0]);
    assert_eq!(world.reached(), "original");
}

/// The flip is the commit: what fails afterwards is reported beside the result.
fn history_lost_after_the_flip_is_no_failure() {
    let world = World::new();
    world.apply(OLD).unwrap();
    let state = world.sandbox.state();
    let lose = &mut |step: &Step| {
        if matches!(step, Step::Flip { .. }) {
            std::fs::remove_dir_all(&state).unwrap();
            std::fs::write(&state, "a file").unwrap();
        }
    };
    let applied = world.node.apply(&image(0), &set(&[row(FRONTEND, NEW)]), &options(), lose).unwrap();
    let of_the_state = |error: &Error| matches!(error, Error::State(_));
    assert!(applied.changed && !applied.troubles.is_empty(), "{applied:?}");
    assert!(applied.troubles.iter().all(of_the_state), "{:?}", applied.troubles);
    assert_eq!(world.reached(), NEW);
    world.whole();
    std::fs::remove_file(world.sandbox.state()).unwrap();
    assert_eq!(world.apply(OLD).unwrap().status.active.unwrap().generation, n(3));
    assert!(world.node.history().unwrap().iter().all(|event| event.result == Outcome::Ok));
}
