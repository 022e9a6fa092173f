//! What an apply does to the kernel, as data: [`plan`] says which steps, one interpreter performs them
//! ([`transaction`](super::transaction)), `--dry-run` prints them, and tests cut them short.

use std::collections::BTreeMap;
use std::fmt;

use lrpc_schema::records::TABLES;

/// One effect. Everything before [`Step::Flip`] is invisible to packets; nothing after it can fail the apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// First load: create and pin the cell, which says that nothing is loaded, and the outer maps.
    Create {
        /// Slots of every outer map.
        slots: u16,
    },
    /// Have the kernel verify the programs, and pin them.
    Load,
    /// Create a table's map and fill it.
    Build {
        /// The table.
        table: &'static str,
        /// How many entries it has.
        entries: usize,
    },
    /// Read all tables back, compare their digest, and freeze them.
    Seal,
    /// Pin the tables in the staging directory.
    Pin {
        /// The generation.
        generation: u64,
    },
    /// Let every program run that looks into an inactive slot end, where an earlier generation must go before
    /// there is an empty slot.
    Wait,
    /// Put the tables into an empty slot of all outer maps, concurrently.
    Insert {
        /// The slot.
        slot: u16,
    },
    /// Attach a program that is not attached.
    Attach {
        /// The hook.
        hook: &'static str,
    },
    /// Swap an attached program for this version's.
    Replace {
        /// The hook.
        hook: &'static str,
    },
    /// Store the cell: every connection from here on sees the new generation.
    Flip {
        /// The generation.
        generation: u64,
        /// Its slot.
        slot: u16,
    },
    /// Rename the staging directory: the generation is resident.
    Settle {
        /// The generation.
        generation: u64,
    },
    /// Empty an earlier generation's slot and remove its maps.
    Retire {
        /// The generation.
        generation: u64,
    },
    /// Remove the programs of other versions.
    Tidy,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { slots } => write!(f, "create the cell and outer maps with {slots} slots"),
            Self::Load => f.write_str("load and pin the programs"),
            Self::Build { table, entries } => write!(f, "build table `{table}` with {entries} entries"),
            Self::Seal => f.write_str("read the tables back, compare and freeze them"),
            Self::Pin { generation } => write!(f, "pin the tables of generation {generation} as staged"),
            Self::Wait => f.write_str("let runs that look into inactive slots end"),
            Self::Insert { slot } => write!(f, "put the tables into slot {slot} of all outer maps"),
            Self::Attach { hook } => write!(f, "attach `{hook}`"),
            Self::Replace { hook } => write!(f, "replace the program of `{hook}`"),
            Self::Flip { generation, slot } => {
                write!(f, "flip the cell to generation {generation} in slot {slot}")
            }
            Self::Settle { generation } => write!(f, "record generation {generation} as resident"),
            Self::Retire { generation } => write!(f, "remove generation {generation}"),
            Self::Tidy => f.write_str("remove the programs of other versions"),
        }
    }
}

/// What a hook needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Nothing,
    Attach,
    Replace,
}

/// What a plan depends on.
#[derive(Clone, Debug)]
pub(crate) struct Situation {
    /// Nothing is loaded.
    pub(crate) first: bool,
    /// The number of the new generation.
    pub(crate) generation: u64,
    /// The slot that it gets.
    pub(crate) slot: u16,
    /// The earlier generation that must leave that slot first.
    pub(crate) evicted: Option<u64>,
    /// Slots of every outer map.
    pub(crate) slots: u16,
    /// The active generation.
    pub(crate) active: Option<u64>,
    /// The resident generations.
    pub(crate) resident: Vec<u64>,
    /// The hooks in attach order.
    pub(crate) hooks: Vec<(&'static str, Need)>,
    /// Entries of each table.
    pub(crate) entries: [usize; TABLES.len()],
}

/// How many slots there are beyond the generations that are kept: one for the generation that is staged,
/// one for the generation that was active when it was.
pub(crate) const SPARE_SLOTS: u16 = 2;

/// The steps of an apply, in order.
pub(crate) fn plan(situation: &Situation) -> Vec<Step> {
    let Situation { first, generation, slot, evicted, slots, active, ref resident, ref hooks, entries } =
        *situation;
    let mut steps = Vec::new();
    if let Some(generation) = evicted {
        steps.extend([Step::Wait, Step::Retire { generation }]);
    }
    if first {
        steps.push(Step::Create { slots });
    }
    steps.push(Step::Load);
    steps.extend(TABLES.into_iter().zip(entries).map(|(table, entries)| Step::Build { table, entries }));
    steps.extend([Step::Seal, Step::Pin { generation }, Step::Insert { slot }]);
    for (hook, need) in hooks {
        match need {
            Need::Nothing => {}
            Need::Attach => steps.push(Step::Attach { hook }),
            Need::Replace => steps.push(Step::Replace { hook }),
        }
    }
    steps.extend([Step::Flip { generation, slot }, Step::Settle { generation }]);
    let keep = slots.saturating_sub(SPARE_SLOTS);
    let retired =
        retired(resident, active, keep).into_iter().filter(|generation| Some(*generation) != evicted);
    steps.extend(retired.map(|generation| Step::Retire { generation }));
    if hooks.iter().any(|(_, need)| *need == Need::Replace) {
        steps.push(Step::Tidy);
    }
    steps
}

/// The generations that go once a new one is active: all but the newest of those that are kept. The one that
/// was active until now always stays, since runs of programs may still be looking into it.
fn retired(resident: &[u64], active: Option<u64>, keep: u16) -> Vec<u64> {
    let mut others: Vec<u64> = resident.iter().copied().filter(|other| Some(*other) != active).collect();
    others.sort_unstable_by(|a, b| b.cmp(a));
    let taken = 1 + usize::from(active.is_some());
    others.split_off(others.len().min(usize::from(keep).saturating_sub(taken)))
}

/// The slot for a new generation: an empty one, else that of the oldest generation that is not active, which
/// then has to leave it. All slots are taken only after two loaders in a row died between the flip and the
/// retirement of the generations that it made one too many.
pub(crate) fn room(
    occupants: &[Vec<Option<u32>>],
    resident: &BTreeMap<u64, u16>,
    active: u64,
) -> Option<(u16, Option<u64>)> {
    let oldest = || resident.iter().find(|(generation, _)| **generation != active);
    empty_slot(occupants)
        .map(|slot| (slot, None))
        .or_else(|| oldest().map(|(generation, slot)| (*slot, Some(*generation))))
}

/// The first slot that no outer map has anything in.
fn empty_slot(occupants: &[Vec<Option<u32>>]) -> Option<u16> {
    let empty = occupants.iter().position(|tables| tables.iter().all(Option::is_none))?;
    u16::try_from(empty).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation() -> Situation {
        Situation {
            first: false,
            generation: 8,
            slot: 2,
            evicted: None,
            slots: 4,
            active: Some(7),
            resident: vec![6, 7],
            hooks: vec![("getpeername4", Need::Nothing), ("connect4", Need::Nothing)],
            entries: [10, 1, 1],
        }
    }

    #[test]
    fn nothing_is_visible_before_the_flip_and_nothing_is_freed_before_it() {
        let steps = plan(&situation());
        let flip = steps.iter().position(|step| matches!(step, Step::Flip { .. })).unwrap();
        assert_eq!(steps[flip - 1], Step::Insert { slot: 2 });
        assert_eq!(steps[flip + 1..], [Step::Settle { generation: 8 }, Step::Retire { generation: 6 }]);
    }

    #[test]
    fn hooks_are_attached_while_the_cell_says_nothing() {
        let hooks = vec![("getpeername4", Need::Attach), ("connect4", Need::Attach)];
        let steps = plan(&Situation { first: true, active: None, resident: vec![], hooks, ..situation() });
        assert_eq!(steps[0], Step::Create { slots: 4 });
        let [.., _, attach, flip, settle] = steps.as_slice() else { panic!("{steps:?}") };
        assert_eq!(*attach, Step::Attach { hook: "connect4" });
        assert!(matches!(flip, Step::Flip { .. }) && matches!(settle, Step::Settle { .. }));
    }

    #[test]
    fn the_generation_that_was_active_is_never_retired() {
        assert_eq!(retired(&[6, 7], Some(7), 2), [6]);
        assert_eq!(retired(&[6, 7], Some(6), 2), [7], "after a rollback");
        assert_eq!(retired(&[7], Some(7), 1), [] as [u64; 0], "it goes with the next apply");
        assert_eq!(retired(&[4, 5, 6, 7], Some(7), 4), [4]);
        assert_eq!(retired(&[], None, 2), [] as [u64; 0]);
    }

    #[test]
    fn where_every_slot_is_taken_the_oldest_leaves_after_a_grace_period() {
        let full = vec![vec![Some(1)]; 4];
        let resident = BTreeMap::from([(4, 1), (5, 2), (6, 3), (7, 0)]);
        assert_eq!(room(&full, &resident, 7), Some((1, Some(4))));
        assert_eq!(room(&full, &resident, 4), Some((2, Some(5))), "after a rollback");
        assert_eq!(room(&full, &BTreeMap::from([(7, 0)]), 7), None, "slots with maps that are nobody's");
        let steps = plan(&Situation { slot: 1, evicted: Some(4), resident: vec![4, 5, 6, 7], ..situation() });
        assert_eq!(steps[..2], [Step::Wait, Step::Retire { generation: 4 }]);
        let retired: Vec<_> = steps.iter().filter(|step| matches!(step, Step::Retire { .. })).collect();
        assert_eq!(
            retired,
            [4, 6, 5].map(|generation| Step::Retire { generation }).iter().collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_slot_is_empty_only_if_it_is_in_every_table() {
        assert_eq!(empty_slot(&[vec![Some(1), Some(2)], vec![None, Some(3)], vec![None, None]]), Some(2));
        assert_eq!(empty_slot(&[vec![Some(1), Some(2)]]), None);
    }
}
