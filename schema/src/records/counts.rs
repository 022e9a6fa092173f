//! What is counted, and what is told while somebody looks.

use super::filter::Mark;
use super::{Backend, FrontendKey};

/// What became of a connect, or of a datagram, to a frontend.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It went to a backend.
    Redirected = 0,
    /// It was refused.
    Dropped = 1,
    /// It was a backend's own, and left alone (L8).
    Own = 2,
    /// It was no client's, and left alone (L6).
    NoClient = 3,
}

impl Fate {
    /// Every one, in the order of the counters.
    pub const ALL: [Self; 4] = [Self::Redirected, Self::Dropped, Self::Own, Self::NoClient];

    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redirected => "redirected",
            Self::Dropped => "dropped",
            Self::Own => "own",
            Self::NoClient => "no-client",
        }
    }

    /// The fate of a number; `None` for one that no program writes.
    pub fn of_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| *fate as u64 == number)
    }
}

/// How many connects and datagrams of a frontend had which [`Fate`]: a word for each.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    words: [u64; 4],
}
words!(Counts, 4);

impl Counts {
    /// How many had a fate.
    pub const fn of(&self, fate: Fate) -> u64 {
        let [redirected, dropped, own, no_client] = self.words;
        match fate {
            Fate::Redirected => redirected,
            Fate::Dropped => dropped,
            Fate::Own => own,
            Fate::NoClient => no_client,
        }
    }

    /// These and those of another CPU.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut words = self.words;
        for (word, more) in words.iter_mut().zip(other.words) {
            *word = word.wrapping_add(more);
        }
        Self { words }
    }

    /// How many there are of all fates.
    pub fn total(&self) -> u64 {
        self.words.iter().fold(0, |sum, word| sum.wrapping_add(*word))
    }
}

/// A place of the counters, on one CPU: {frontend 24, counts 32, zero 8}, zeros where it is free.
///
/// [`COUNTERS`](super::COUNTERS) is an array of [`CountPlace::SETS`] times [`CountPlace::WAYS`] places and one more.
/// The hash of a frontend chooses the set ([`CountPlace::first`]); on each CPU its first decision takes the first free
/// place there. So counting costs no hash map, no allocation and no line that another CPU writes; a frontend that
/// finds its set taken by others is not counted, and the last place says how often that was.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountPlace {
    words: [u64; 8],
}
words!(CountPlace, 8);

impl CountPlace {
    /// How many sets there are: a power of two.
    pub const SETS: u32 = 2048;
    /// How many places a set has.
    pub const WAYS: u32 = 2;
    /// The place that counts what the others cannot: decisions that a full ring did not take, and those of frontends
    /// that found no place; in the first two words behind its frontend, which is none.
    pub const REST: u32 = Self::SETS * Self::WAYS;
    /// How many places there are.
    pub const COUNT: u32 = Self::REST + 1;

    /// The index of the first place of a frontend's set.
    #[inline(always)]
    pub const fn first(key: &FrontendKey) -> u32 {
        Mark::of(key).set(Self::SETS) * Self::WAYS
    }

    /// The frontend; `None` where the place is free.
    pub fn frontend(&self) -> Option<FrontendKey> {
        let [a, b, c, ..] = self.words;
        ([a, b, c] != [0; 3]).then_some(FrontendKey { words: [a, b, c] })
    }

    /// What was counted.
    pub const fn counts(&self) -> Counts {
        let [_, _, _, a, b, c, d, _] = self.words;
        Counts { words: [a, b, c, d] }
    }

    /// Of the place [`REST`](Self::REST): how many decisions no ring took.
    pub const fn lost(&self) -> u64 {
        self.words[3]
    }

    /// Of the place [`REST`](Self::REST): how many decisions of frontends without a place were not counted.
    pub const fn uncounted(&self) -> u64 {
        self.words[4]
    }
}

/// A decision, as `lrpc monitor` shows it: {when, in ns of the boot clock}, {frontend 24}, {backend 24, zero where
/// there is none}, {fate 1, audit 1, zero 6}, {thread group and thread}, {cgroup}.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    words: [u64; 10],
}
words!(Decided, 10);

impl Decided {
    /// A decision; `backend` is [`Backend::NONE`] where none was chosen, `audit` is one that was only counted, `task` the thread group in the upper half and the thread.
    #[inline(always)]
    pub const fn new(
        at: u64,
        key: FrontendKey,
        backend: Backend,
        fate: Fate,
        audit: bool,
        task: u64,
        cgroup: u64,
    ) -> Self {
        let [a, b, c] = key.words;
        let [d, e, f] = backend.words;
        Self { words: [at, a, b, c, d, e, f, fate as u64 | (audit as u64) << 8, task, cgroup] }
    }

    /// When, in nanoseconds of the boot clock.
    pub const fn at(&self) -> u64 {
        self.words[0]
    }

    /// The frontend.
    pub const fn frontend(&self) -> FrontendKey {
        FrontendKey { words: [self.words[1], self.words[2], self.words[3]] }
    }

    /// The backend, where one was chosen.
    pub fn backend(&self) -> Option<Backend> {
        let backend = Backend { words: [self.words[4], self.words[5], self.words[6]] };
        (backend != Backend::NONE).then_some(backend)
    }

    /// What became of it.
    pub fn fate(&self) -> Option<Fate> {
        Fate::of_number(self.words[7] & 0xff)
    }

    /// It was only counted.
    pub const fn is_audit(&self) -> bool {
        self.words[7] >> 8 & 1 != 0
    }

    /// The process.
    pub const fn process(&self) -> u64 {
        self.words[8] >> 32
    }

    /// The kernel's number of the process' cgroup.
    pub const fn cgroup(&self) -> u64 {
        self.words[9]
    }
}

/// The second element of the [`CELL`](super::CELL) map: what is switched on beside the redirects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches(u64);

impl Switches {
    /// Everything off.
    pub const OFF: Self = Self(0);
    /// Each decision is told.
    pub const MONITOR: Self = Self(1);

    /// Out of the word.
    #[inline(always)]
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// The word.
    pub const fn word(self) -> u64 {
        self.0
    }

    /// Each decision is told.
    #[inline(always)]
    pub const fn is_monitored(self) -> bool {
        self.0 & 1 != 0
    }
}
