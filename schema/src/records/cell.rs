//! The one word that says which generation is active.

use super::{Generation, Slot};

/// The one word that says which generation is active: {generation 48 bits, slot 16 bits}. Zero means that
/// nothing is loaded, since generations count from 1. Every program run reads it exactly once.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell(u64);

impl Cell {
    /// Nothing is active.
    pub const EMPTY: Self = Self(0);

    /// The cell for a generation in a slot.
    #[inline(always)]
    pub const fn new(generation: Generation, slot: Slot) -> Self {
        Self(generation.get() << 16 | slot.get() as u64)
    }

    /// The cell out of its word.
    #[inline(always)]
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// The word that the map holds.
    #[inline(always)]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// Number of the active generation, `None` where nothing is active.
    #[inline(always)]
    pub const fn generation(self) -> Option<Generation> {
        Generation::new(self.0 >> 16)
    }

    /// The slot of every outer map that holds the active generation; only meant where
    /// [`generation`](Self::generation) is some.
    #[inline(always)]
    pub const fn slot(self) -> Slot {
        Slot::new((self.0 & 0xffff) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cell_names_no_generation() {
        assert_eq!(Cell::EMPTY.generation(), None);
        let generation = Generation::new(7).unwrap();
        let cell = Cell::new(generation, Slot::new(2));
        assert_eq!((cell.generation(), cell.slot()), (Some(generation), Slot::new(2)));
        assert_eq!(Cell::from_word(cell.word()), cell);
        assert_eq!(Cell::from_word(5).generation(), None, "a slot alone names nothing");
        let last = Cell::new(Generation::LAST, Slot::new(u16::MAX));
        assert_eq!((last.generation(), last.slot()), (Some(Generation::LAST), Slot::new(u16::MAX)));
    }
}
