//! Where a new generation goes: which slot it gets, and which others leave theirs for it.

use lrpc_schema::records::{Generation, Slot};

use super::Error;
use super::loaded::{Loaded, Surplus};

/// Where a new generation goes, and what must go for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// The slot that it gets.
    pub(crate) slot: Slot,
    /// A resident generation that is one no more, for want of another slot.
    pub(crate) evicted: Option<Generation>,
    /// Runs of programs that may look into these slots must end first.
    pub(crate) wait: bool,
    /// The slots of surplus generations that are emptied with it.
    pub(crate) emptied: Vec<Slot>,
    /// The surplus generations that are in no slot any more afterwards.
    pub(crate) leaves: Vec<Generation>,
}

impl Room {
    /// The room for a new generation beside what is loaded.
    pub(super) fn in_loaded(loaded: &Loaded) -> Result<Self, Error> {
        let leaving = |surplus: &Surplus| Leaving {
            generation: surplus.generation,
            slot: surplus.slot,
            is_past: loaded.order.is_past(surplus.generation),
        };
        let surplus: Vec<_> = loaded.surplus.iter().map(leaving).collect();
        let resident = loaded.resident.iter().map(|(&generation, resident)| (generation, resident.slot));
        let inactive: Vec<_> = resident
            .filter(|(generation, slot)| *generation != loaded.active && *slot != loaded.slot)
            .collect();
        room(&loaded.shared.occupants()?, &surplus, &inactive).ok_or(Error::NoSlot)
    }
}

/// A generation that could leave a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leaving {
    generation: Generation,
    /// The slot that it is in.
    slot: Option<Slot>,
    /// No run of a program looks into it any more.
    is_past: bool,
}

/// Makes room for a new generation: in the slot of a surplus one whose readers have ended, else in an empty
/// one, else in that of a surplus one after a grace period, else in that of the oldest resident one that is
/// not active. The last happens only after loaders died between the flip and the demotion of the generations
/// that it made one too many.
fn room(
    occupants: &[Vec<Option<u32>>],
    surplus: &[Leaving],
    inactive: &[(Generation, Slot)],
) -> Option<Room> {
    let (past, recent): (Vec<Leaving>, Vec<Leaving>) =
        surplus.iter().partition(|leaving| leaving.is_past || leaving.slot.is_none());
    let leaving = |leaving: &[Leaving], wait, evicted| {
        let mut slots = leaving.iter().filter_map(|leaving| leaving.slot);
        let slot = slots.next()?;
        let emptied = slots.collect();
        let leaves = leaving.iter().map(|leaving| leaving.generation).collect();
        Some(Room { slot, evicted, wait, emptied, leaves })
    };
    let empty = || {
        let leaves = past.iter().map(|leaving| leaving.generation).collect();
        Some(Room { slot: empty_slot(occupants)?, leaves, ..Room::default() })
    };
    let oldest = || {
        let &(generation, slot) = inactive.iter().min()?;
        leaving(&[Leaving { generation, slot: Some(slot), is_past: false }], true, Some(generation))
    };
    let after_a_wait = || {
        let all = [past.as_slice(), recent.as_slice()].concat();
        leaving(&all, true, None)
    };
    leaving(&past, false, None).or_else(empty).or_else(after_a_wait).or_else(oldest)
}

/// The first slot that no outer map has anything in.
fn empty_slot(occupants: &[Vec<Option<u32>>]) -> Option<Slot> {
    let empty = occupants.iter().position(|tables| tables.iter().all(Option::is_none))?;
    u16::try_from(empty).ok().map(Slot::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(generation: u64) -> Generation {
        Generation::new(generation).unwrap()
    }

    fn numbers<const N: usize>(generations: [u64; N]) -> Vec<Generation> {
        generations.map(number).to_vec()
    }

    fn leaving(generation: u64, slot: u16, is_past: bool) -> Leaving {
        Leaving { generation: number(generation), slot: Some(Slot::new(slot)), is_past }
    }

    const FULL: [Option<u32>; 1] = [Some(1)];

    #[test]
    fn a_surplus_generation_whose_readers_have_ended_leaves_its_slot_to_the_new_one() {
        let occupants = [FULL.to_vec(), FULL.to_vec(), FULL.to_vec(), vec![None]];
        let surplus = [leaving(3, 0, true), leaving(4, 1, true)];
        let room = room(&occupants, &surplus, &[]).unwrap();
        assert_eq!((room.slot, room.wait), (Slot::new(0), false));
        assert_eq!((room.emptied, room.leaves), (vec![Slot::new(1)], numbers([3, 4])));
    }

    #[test]
    fn an_empty_slot_is_taken_before_a_wait() {
        let occupants = [FULL.to_vec(), vec![None]];
        let taken = room(&occupants, &[leaving(3, 0, false)], &[]).unwrap();
        assert_eq!(taken, Room { slot: Slot::new(1), ..Room::default() });
        let gone = Leaving { generation: number(2), slot: None, is_past: false };
        let taken = room(&occupants, &[gone], &[]).unwrap();
        assert_eq!((taken.slot, taken.leaves), (Slot::new(1), numbers([2])), "in no slot any more");
    }

    #[test]
    fn where_every_slot_is_taken_one_leaves_after_a_grace_period() {
        let full = vec![FULL.to_vec(); 4];
        let inactive = [(number(5), Slot::new(2)), (number(4), Slot::new(1))];
        let waited = room(&full, &[leaving(3, 0, false)], &inactive).unwrap();
        assert_eq!((waited.slot, waited.wait, waited.evicted), (Slot::new(0), true, None));
        let evicted = room(&full, &[], &inactive).unwrap();
        assert_eq!(room(&full, &[], &[]), None, "slots with maps that are nobody's");
        let expected = Room {
            slot: Slot::new(1),
            evicted: Some(number(4)),
            wait: true,
            emptied: vec![],
            leaves: numbers([4]),
        };
        assert_eq!(evicted, expected);
    }

    #[test]
    fn a_slot_is_empty_only_if_it_is_in_every_table() {
        let occupants = [vec![Some(1), Some(2)], vec![None, Some(3)], vec![None, None]];
        assert_eq!(empty_slot(&occupants), Some(Slot::new(2)));
        assert_eq!(empty_slot(&occupants[..1]), None);
    }
}
