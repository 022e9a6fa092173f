//! What a command does, as data: one effect is one [`Step`], and a [`Plan`] says which steps, in which part.
//! One interpreter performs them ([`transaction`](super::transaction)), `--dry-run` prints them, and tests cut
//! them short.

use std::fmt;

use lrpc_schema::records::{Generation, Hook, Slot, Table};

use super::room::Room;

/// One effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create and pin the cell, which says that nothing is loaded, and the outer maps.
    Create {
        /// Slots of every outer map.
        slots: u16,
    },
    /// Have the kernel verify the programs, and pin them.
    Load,
    /// Create a table's map and fill it.
    Build {
        /// The table.
        table: Table,
        /// How many entries it has.
        entries: usize,
    },
    /// Read all tables back, compare their digest, and freeze them.
    Seal,
    /// Keep the image and the map set in the state directory.
    Keep {
        /// The generation.
        generation: Generation,
    },
    /// Pin the tables in the staging directory.
    Pin {
        /// The generation.
        generation: Generation,
    },
    /// Let every program run that looks into an inactive slot end, where one must be emptied of a generation
    /// that was active lately.
    Wait,
    /// Put the tables into a slot of all outer maps, concurrently, and empty others with them.
    Insert {
        /// The slot.
        slot: Slot,
        /// Slots of surplus generations beside it.
        emptied: Vec<Slot>,
    },
    /// Attach a program that is not attached.
    Attach {
        /// The hook.
        hook: Hook,
    },
    /// Swap an attached program for this version's.
    Replace {
        /// The hook.
        hook: Hook,
    },
    /// Say which generation comes next, so that a rollback knows what was before.
    Announce {
        /// The generation.
        generation: Generation,
    },
    /// Store the cell: every connection from here on sees this generation.
    Flip {
        /// The generation.
        generation: Generation,
        /// Its slot.
        slot: Slot,
    },
    /// Store the empty cell: every connection from here on is left alone.
    Close,
    /// Close the connections that the change concerns (L10).
    Disconnect,
    /// Replace what the active generation says of itself.
    Amend {
        /// The generation.
        generation: Generation,
    },
    /// Rename the staging directory: the generation is resident.
    Settle {
        /// The generation.
        generation: Generation,
    },
    /// A resident generation is one no more; it leaves its slot with the next apply.
    Demote {
        /// The generation.
        generation: Generation,
    },
    /// Remove the pins of a generation that is in no slot any more.
    Discard {
        /// The generation.
        generation: Generation,
    },
    /// Forget what was counted of frontends that no resident generation has.
    Uncount,
    /// Remove the programs of other versions.
    Tidy,
    /// Take a program off its hook.
    Detach {
        /// The hook.
        hook: Hook,
    },
    /// Remove every pin of lrpc's.
    Unpin,
    /// Add a line to the history.
    Remember,
    /// Drop the images and map sets of generations that are gone.
    Prune,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { slots } => write!(f, "create the cell and outer maps with {slots} slots"),
            Self::Load => f.write_str("load and pin the programs"),
            Self::Build { table, entries } => write!(f, "build table `{table}` with {entries} entries"),
            Self::Seal => f.write_str("read the tables back, compare and freeze them"),
            Self::Keep { generation } => {
                write!(f, "keep the image and the map set of generation {generation}")
            }
            Self::Pin { generation } => write!(f, "pin the tables of generation {generation} as staged"),
            Self::Wait => f.write_str("let runs that look into inactive slots end"),
            Self::Insert { slot, emptied } if emptied.is_empty() => {
                write!(f, "put the tables into slot {slot} of all outer maps")
            }
            Self::Insert { slot, emptied } => {
                let emptied: Vec<_> = emptied.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "put the tables into slot {slot} of all outer maps, and empty slot {}",
                    emptied.join(", ")
                )
            }
            Self::Attach { hook } => write!(f, "attach `{hook}`"),
            Self::Replace { hook } => write!(f, "replace the program of `{hook}`"),
            Self::Announce { generation } => write!(f, "announce generation {generation}"),
            Self::Flip { generation, slot } => {
                write!(f, "flip the cell to generation {generation} in slot {slot}")
            }
            Self::Close => f.write_str("flip the cell to nothing"),
            Self::Disconnect => f.write_str("close the connections that the change concerns"),
            Self::Amend { generation } => write!(f, "amend the record of generation {generation}"),
            Self::Settle { generation } => write!(f, "record generation {generation} as resident"),
            Self::Demote { generation } => write!(f, "retire generation {generation}"),
            Self::Discard { generation } => write!(f, "remove the pins of generation {generation}"),
            Self::Uncount => f.write_str("forget the counts of frontends that are gone"),
            Self::Tidy => f.write_str("remove the programs of other versions"),
            Self::Detach { hook } => write!(f, "detach `{hook}`"),
            Self::Unpin => f.write_str("remove all pins"),
            Self::Remember => f.write_str("add a line to the history"),
            Self::Prune => f.write_str("drop the images and map sets of generations that are gone"),
        }
    }
}

/// The steps of one command, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Invisible to packets, or a mend of what is active: a hook that is missing is attached, a program replaced.
    /// An error undoes what is invisible. A mend stays, and so does the eviction of an inactive generation for
    /// want of a slot ([`Step::Demote`]).
    pub before: Vec<Step>,
    /// The commit: before it nothing of a new set is visible, after it nothing is undone. `None` where nothing that
    /// packets see is to change.
    pub commit: Option<Step>,
    /// While these are done, what was active before is whole, and could be made active again.
    pub provisional: Vec<Step>,
    /// These take away what the way back needs. What fails here is tried again by the next command.
    pub settled: Vec<Step>,
}

impl Plan {
    /// The same where the state directory cannot be used.
    pub(crate) fn without_memory(mut self) -> Self {
        self.settled.retain(|step| !matches!(step, Step::Remember | Step::Prune));
        self
    }

    /// The same with connections closed that the change concerns, before anything else that need not come first.
    pub(crate) fn closing(mut self) -> Self {
        self.settled.insert(0, Step::Disconnect);
        self
    }

    /// All steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.before.iter().chain(&self.commit).chain(&self.provisional).chain(&self.settled)
    }
}

/// What a hook needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Nothing,
    Attach,
    Replace,
}

impl Need {
    fn step(self, hook: Hook) -> Option<Step> {
        match self {
            Self::Nothing => None,
            Self::Attach => Some(Step::Attach { hook }),
            Self::Replace => Some(Step::Replace { hook }),
        }
    }
}

/// Upon what a new generation comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upon {
    /// Nothing is loaded.
    Nothing,
    /// A generation is active.
    Active,
    /// Programs act by maps that are not pinned: the commit is what takes the last of them to the new maps.
    Orphaned,
}

/// What the plan of an apply depends on.
#[derive(Clone, Debug)]
pub(crate) struct Situation {
    pub(crate) upon: Upon,
    /// The number of the new generation.
    pub(crate) generation: Generation,
    /// Where it goes.
    pub(crate) room: Room,
    /// Slots of every outer map.
    pub(crate) slots: u16,
    /// The active generation.
    pub(crate) active: Option<Generation>,
    /// The resident generations.
    pub(crate) resident: Vec<Generation>,
    /// The hooks in attach order.
    pub(crate) hooks: Vec<(Hook, Need)>,
    /// Entries of each table.
    pub(crate) entries: [usize; Table::ALL.len()],
}

/// How many slots there are beyond the generations that are kept: one for the generation that is staged,
/// one for a surplus one that its readers may not have left.
pub(crate) const SPARE_SLOTS: u16 = 2;

/// The plan of an apply.
pub(crate) fn plan(situation: &Situation) -> Plan {
    let Situation { upon, generation, ref room, slots, active, ref resident, ref hooks, entries } =
        *situation;
    let mut before = Vec::new();
    before.extend(room.evicted.map(|generation| Step::Demote { generation }));
    if room.wait {
        before.push(Step::Wait);
    }
    if upon != Upon::Active {
        before.push(Step::Create { slots });
    }
    before.push(Step::Load);
    before.extend(Table::ALL.into_iter().zip(entries).map(|(table, entries)| Step::Build { table, entries }));
    before.extend([Step::Seal, Step::Keep { generation }, Step::Pin { generation }]);
    before.push(Step::Insert { slot: room.slot, emptied: room.emptied.clone() });
    let mut hooks: Vec<_> = hooks.iter().filter_map(|(hook, need)| need.step(*hook)).collect();
    let flip = Step::Flip { generation, slot: room.slot };
    let announce = Step::Announce { generation };
    let is_replaced = hooks.iter().any(|step| matches!(step, Step::Replace { .. }));
    let commit = match upon {
        // The new cell is in nobody's sight until the last hook's program looks into it.
        Upon::Orphaned => {
            let last = hooks.pop();
            before.extend([announce, flip]);
            before.extend(hooks);
            last
        }
        Upon::Nothing | Upon::Active => {
            before.extend(hooks);
            before.push(announce);
            Some(flip)
        }
    };
    let keep = slots.saturating_sub(SPARE_SLOTS);
    let retired = retired(resident, active, keep).into_iter().filter(|other| Some(*other) != room.evicted);
    let mut settled: Vec<_> = retired.map(|generation| Step::Demote { generation }).collect();
    settled.extend(room.leaves.iter().map(|&generation| Step::Discard { generation }));
    if upon == Upon::Active {
        settled.push(Step::Uncount);
    }
    if is_replaced {
        settled.push(Step::Tidy);
    }
    settled.extend([Step::Remember, Step::Prune]);
    Plan { before, commit, provisional: vec![Step::Settle { generation }], settled }
}

/// The generations that go once a new one is active: all but the newest of those that are kept. The one that
/// was active until now always stays, since runs of programs may still be looking into it.
fn retired(resident: &[Generation], active: Option<Generation>, keep: u16) -> Vec<Generation> {
    let mut others: Vec<_> = resident.iter().copied().filter(|other| Some(*other) != active).collect();
    others.sort_unstable_by(|a, b| b.cmp(a));
    let taken = 1 + usize::from(active.is_some());
    others.split_off(others.len().min(usize::from(keep).saturating_sub(taken)))
}

/// The plan of a rollback to a resident generation, on hooks that need this.
pub(crate) fn plan_rollback(generation: Generation, slot: Slot, hooks: &[(Hook, Need)]) -> Plan {
    let hooks: Vec<_> = hooks.iter().filter_map(|(hook, need)| need.step(*hook)).collect();
    let is_replaced = hooks.iter().any(|step| matches!(step, Step::Replace { .. }));
    let mut before = Vec::new();
    if !hooks.is_empty() {
        before.push(Step::Load);
    }
    before.extend(hooks);
    before.push(Step::Announce { generation });
    let mut settled = Vec::new();
    if is_replaced {
        settled.push(Step::Tidy);
    }
    settled.push(Step::Remember);
    Plan { before, commit: Some(Step::Flip { generation, slot }), provisional: Vec::new(), settled }
}

/// The plan of an apply that changes nothing but what the active generation says of itself.
pub(crate) fn plan_amendment(generation: Generation) -> Plan {
    Plan {
        before: vec![Step::Keep { generation }],
        commit: Some(Step::Amend { generation }),
        provisional: Vec::new(),
        settled: vec![Step::Remember, Step::Prune],
    }
}

/// The plan of an unload. Where the cell names something, emptying it is the commit, and what is detached and
/// unpinned after it is in nobody's way; elsewhere the removal itself is what was asked for.
pub(crate) fn plan_unload(is_loaded: bool) -> Plan {
    let mut removal: Vec<_> = Hook::ALL.into_iter().rev().map(|hook| Step::Detach { hook }).collect();
    removal.push(Step::Unpin);
    if is_loaded {
        removal.extend([Step::Remember, Step::Prune]);
        Plan { commit: Some(Step::Close), settled: removal, ..Plan::default() }
    } else {
        Plan { before: removal, settled: vec![Step::Prune], ..Plan::default() }
    }
}

#[cfg(test)]
mod tests;
