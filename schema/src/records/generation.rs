//! The number of a generation, and the place of its tables.

use core::fmt;
use core::num::NonZeroU64;

/// The number of a generation: from 1, below 2^48, so that it fits into the [`Cell`](super::Cell).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(NonZeroU64);

impl Generation {
    /// The first.
    pub const FIRST: Self = Self(NonZeroU64::MIN);
    /// The last that there can be.
    pub const LAST: Self = match Self::new((1 << 48) - 1) {
        Some(last) => last,
        None => Self::FIRST,
    };

    /// The generation of a number; `None` for 0 and from 2^48 on.
    #[inline(always)]
    pub const fn new(number: u64) -> Option<Self> {
        if number >> 48 != 0 {
            return None;
        }
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[inline(always)]
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The one after it; `None` after the last.
    pub const fn next(self) -> Option<Self> {
        match self.get().checked_add(1) {
            Some(number) => Self::new(number),
            None => None,
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in every outer map: the tables of one generation sit at the same one in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// The slot of a number.
    #[inline(always)]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number.
    #[inline(always)]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "image")]
impl serde::Serialize for Generation {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.get())
    }
}

#[cfg(feature = "image")]
impl<'de> serde::Deserialize<'de> for Generation {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        Self::new(number).ok_or_else(|| {
            serde::de::Error::custom(format_args!("{number} is no generation: they count from 1 to 2^48 - 1"))
        })
    }
}

#[cfg(feature = "image")]
impl serde::Serialize for Slot {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_count_from_one_and_fit_into_the_cell() {
        assert_eq!(Generation::new(0), None);
        assert_eq!(Generation::new(1), Some(Generation::FIRST));
        assert_eq!(Generation::new((1 << 48) - 1), Some(Generation::LAST));
        assert_eq!(Generation::new(1 << 48), None);
        assert_eq!(Generation::new(u64::MAX), None);
        assert_eq!(Generation::LAST.next(), None);
        assert_eq!(Generation::FIRST.next().map(Generation::get), Some(2));
    }
}
