//! In which order generations were made active: what a rollback goes back to, and whose readers have ended.
//!
//! Each flip is announced before it is done, as an empty directory `SEQUENCE-CAUSE-GENERATION`. An
//! announcement whose flip never came names another generation than the cell and is taken back.

use lrpc_schema::records::Generation;

use super::pins::{Folder, Pins};
use super::writer::Writer;
use crate::fs::FsError;

/// Why a generation was made active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// An apply put it into the outer maps, and waited for a grace period, right before.
    Apply,
    /// A rollback: it was there.
    Rollback,
}

impl Cause {
    const ALL: [Self; 2] = [Self::Apply, Self::Rollback];

    const fn name(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Rollback => "rollback",
        }
    }
}

/// One flip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activation {
    sequence: u64,
    cause: Cause,
    pub(crate) generation: Generation,
}

impl Activation {
    fn name(self) -> String {
        let Self { sequence, cause, generation } = self;
        format!("{sequence}-{}-{generation}", cause.name())
    }

    fn of_name(name: &str) -> Option<Self> {
        let mut parts = name.splitn(3, '-');
        let sequence = parts.next()?.parse().ok()?;
        let cause = parts.next()?;
        let cause = Cause::ALL.into_iter().find(|known| known.name() == cause)?;
        Some(Self { sequence, cause, generation: Generation::new(parts.next()?.parse().ok()?)? })
    }
}

/// The flips, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order(Vec<Activation>);

/// How many flips are remembered. Those of the generations that are resident are among them unless somebody
/// rolls back and forth more often than that, which costs a grace period more and nothing else.
const REMEMBERED: usize = 64;

impl Order {
    /// Reads the order; nothing in it where it was lost.
    pub(crate) fn read(pins: &Pins) -> Result<Self, FsError> {
        let names = pins.names(&Folder::Order)?.into_iter();
        let mut flips: Vec<_> = names.filter_map(|name| Activation::of_name(name.to_str()?)).collect();
        flips.sort_unstable_by_key(|flip| flip.sequence);
        Ok(Self(flips))
    }

    /// Announces a flip that comes next.
    pub(crate) fn announce(
        &self,
        writer: &Writer,
        cause: Cause,
        generation: Generation,
    ) -> Result<(), FsError> {
        let sequence = self.0.last().map_or(1, |last| last.sequence.saturating_add(1));
        let flip = Activation { sequence, cause, generation };
        writer.make(&Folder::Order)?.make_child(flip.name()).map(drop)
    }

    /// Takes back announcements of flips that never came, and forgets the oldest.
    pub(crate) fn settle(&mut self, writer: &Writer, active: Generation) -> Result<(), FsError> {
        let done = self.0.iter().rposition(|flip| flip.generation == active).map_or(0, |last| last + 1);
        let mut gone = self.0.split_off(done);
        let surplus = self.0.len().saturating_sub(REMEMBERED);
        gone.extend(self.0.drain(..surplus));
        gone.into_iter().try_for_each(|flip| writer.unpin(&Folder::Order, &flip.name()).map(drop))
    }

    /// The generation that was active before the present one; `None` where that is not known.
    pub(crate) fn before(&self, active: Generation) -> Option<Generation> {
        self.0.iter().rev().map(|flip| flip.generation).find(|generation| *generation != active)
    }

    /// Whether every program run that read this generation from the cell has ended, as far as the order
    /// knows. The last apply waited for a grace period, and then flipped away from what was active before it:
    /// runs of that one, and of whatever was active since, may still be going on; those of others are over.
    pub(crate) fn is_past(&self, generation: Generation) -> bool {
        let Some(apply) = self.0.iter().rposition(|flip| flip.cause == Cause::Apply) else {
            return false;
        };
        let Some(before) = apply.checked_sub(1) else { return false };
        self.0.iter().skip(before).all(|flip| flip.generation != generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(flips: &[(Cause, u64)]) -> Order {
        let flip = |(sequence, &(cause, generation))| Activation {
            sequence,
            cause,
            generation: Generation::new(generation).unwrap(),
        };
        Order((1..).zip(flips).map(flip).collect())
    }

    fn number(generation: u64) -> Generation {
        Generation::new(generation).unwrap()
    }

    use Cause::{Apply, Rollback};

    #[test]
    fn names_come_back() {
        for (cause, generation) in [(Apply, 1), (Rollback, (1 << 48) - 1)] {
            let flip = Activation { sequence: 7, cause, generation: number(generation) };
            assert_eq!(Activation::of_name(&flip.name()), Some(flip));
        }
        for foreign in ["", "7", "7-apply", "7-apply-0", "x-apply-1", "7-else-1", "7-apply-1-2"] {
            assert_eq!(Activation::of_name(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_rollback_goes_to_what_was_active_before() {
        let (a, b, c) = (1, 2, 3);
        let flips = [(Apply, a), (Apply, b), (Rollback, a), (Apply, c)];
        assert_eq!(order(&flips).before(number(c)), Some(number(a)), "b was withdrawn");
        assert_eq!(order(&flips[..2]).before(number(b)), Some(number(a)));
        assert_eq!(order(&flips[..1]).before(number(a)), None);
    }

    #[test]
    fn readers_have_ended_where_a_grace_period_lies_between() {
        let swaps = order(&[(Apply, 1), (Apply, 2), (Apply, 3)]);
        assert!(swaps.is_past(number(1)), "inactive before the grace period of 3");
        assert!(!swaps.is_past(number(2)), "active until the flip to 3");
        assert!(!swaps.is_past(number(3)), "active");
        let back = order(&[(Apply, 1), (Apply, 2), (Apply, 3), (Rollback, 1), (Rollback, 3)]);
        assert!(!back.is_past(number(1)), "active since the last grace period");
        assert!(!back.is_past(number(2)), "active until the flip to 3");
        assert!(!order(&[(Apply, 3)]).is_past(number(2)), "what came before is not known");
        assert!(!order(&[(Rollback, 2), (Rollback, 3)]).is_past(number(1)));
        assert!(!order(&[]).is_past(number(1)));
    }
}
