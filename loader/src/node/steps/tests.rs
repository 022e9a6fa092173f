use super::*;

fn number(generation: u64) -> Generation {
    Generation::new(generation).unwrap()
}

fn numbers<const N: usize>(generations: [u64; N]) -> Vec<Generation> {
    generations.map(number).to_vec()
}

fn situation() -> Situation {
    Situation {
        upon: Upon::Active,
        generation: number(8),
        room: Room { slot: Slot::new(2), ..Room::default() },
        slots: 4,
        active: Some(number(7)),
        resident: numbers([6, 7]),
        hooks: vec![(Hook::Getpeername4, Need::Nothing), (Hook::Connect4, Need::Nothing)],
        entries: [10, 1, 1, 3, 1],
    }
}

#[test]
fn nothing_is_visible_before_the_flip_and_nothing_is_freed_before_it() {
    let plan = plan(&situation());
    let [.., insert, announce] = plan.before.as_slice() else { panic!("{plan:?}") };
    assert_eq!(*insert, Step::Insert { slot: Slot::new(2), emptied: vec![] });
    assert_eq!(*announce, Step::Announce { generation: number(8) });
    assert_eq!(plan.commit, Some(Step::Flip { generation: number(8), slot: Slot::new(2) }));
    assert_eq!(plan.provisional, [Step::Settle { generation: number(8) }]);
    let settled = [Step::Demote { generation: number(6) }, Step::Uncount, Step::Remember, Step::Prune];
    assert_eq!(plan.settled, settled);
}

#[test]
fn hooks_are_attached_while_the_cell_says_nothing() {
    let hooks = vec![(Hook::Getpeername4, Need::Attach), (Hook::Connect4, Need::Attach)];
    let first = Situation { upon: Upon::Nothing, active: None, resident: vec![], hooks, ..situation() };
    let plan = plan(&first);
    assert_eq!(plan.before[0], Step::Create { slots: 4 });
    let [.., attach, _announce] = plan.before.as_slice() else { panic!("{plan:?}") };
    assert_eq!(*attach, Step::Attach { hook: Hook::Connect4 });
    assert!(matches!(plan.commit, Some(Step::Flip { .. })));
}

#[test]
fn an_orphaned_set_is_served_until_the_last_hook_changes() {
    let hooks = vec![(Hook::Getpeername4, Need::Replace), (Hook::Connect4, Need::Replace)];
    let orphaned = Situation { upon: Upon::Orphaned, active: None, resident: vec![], hooks, ..situation() };
    let plan = plan(&orphaned);
    let [.., flip, replace] = plan.before.as_slice() else { panic!("{plan:?}") };
    assert!(matches!(flip, Step::Flip { .. }), "nobody sees the new cell: {plan:?}");
    assert_eq!(*replace, Step::Replace { hook: Hook::Getpeername4 });
    assert_eq!(plan.commit, Some(Step::Replace { hook: Hook::Connect4 }));
}

#[test]
fn the_generation_that_was_active_is_never_retired() {
    let of = |resident: &[u64], active: Option<u64>, keep| {
        let resident: Vec<_> = resident.iter().copied().map(number).collect();
        retired(&resident, active.map(number), keep)
    };
    assert_eq!(of(&[6, 7], Some(7), 2), numbers([6]));
    assert_eq!(of(&[6, 7], Some(6), 2), numbers([7]), "after a rollback");
    assert_eq!(of(&[7], Some(7), 1), [], "it goes with the next apply");
    assert_eq!(of(&[4, 5, 6, 7], Some(7), 4), numbers([4]));
    assert_eq!(of(&[], None, 2), []);
}

#[test]
fn an_evicted_generation_goes_first_and_is_not_retired_again() {
    let room = Room {
        slot: Slot::new(1),
        evicted: Some(number(4)),
        wait: true,
        emptied: vec![],
        leaves: numbers([4]),
    };
    let plan = plan(&Situation { room, resident: numbers([4, 5, 6, 7]), ..situation() });
    assert_eq!(plan.before[..2], [Step::Demote { generation: number(4) }, Step::Wait]);
    let demoted = [6, 5].map(|generation| Step::Demote { generation: number(generation) });
    assert_eq!(plan.settled[..2], demoted);
    assert_eq!(plan.settled[2], Step::Discard { generation: number(4) });
}

#[test]
fn a_rollback_mends_the_hooks_first() {
    let nothing = [(Hook::Getpeername4, Need::Nothing), (Hook::Connect4, Need::Nothing)];
    let plan = plan_rollback(number(6), Slot::new(1), &nothing);
    assert_eq!(plan.before, [Step::Announce { generation: number(6) }]);
    let missing = [(Hook::Getpeername4, Need::Nothing), (Hook::Connect4, Need::Attach)];
    let plan = plan_rollback(number(6), Slot::new(1), &missing);
    assert_eq!(plan.before[..2], [Step::Load, Step::Attach { hook: Hook::Connect4 }]);
}

#[test]
fn an_unload_closes_first_and_detaches_the_forward_hook_before_its_answer() {
    let plan = plan_unload(true);
    assert_eq!(plan.steps().next(), Some(&Step::Close));
    let deciding = |step: &Step| matches!(step, Step::Detach { hook } if hook.decides());
    let detached = plan.settled.get(..Hook::ALL.len()).unwrap();
    assert_eq!(detached.iter().map(deciding).collect::<Vec<_>>(), [[true; 4], [false; 4]].concat());
    let orphaned = plan_unload(false);
    assert_eq!((orphaned.commit, orphaned.before.last()), (None, Some(&Step::Unpin)));
}
