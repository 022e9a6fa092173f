//! Who is in which set of pods.

/// Number of a set of pods in the `members` table of a generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(u32);

impl SetId {
    /// The kubelet's trees: whoever is below one of them is a pod (L6, L17).
    pub const TREES: Self = Self(0);

    /// A set of a number; 0 is [`TREES`](Self::TREES).
    #[inline(always)]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[inline(always)]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Key of the `members` table: {cgroup 8, set 4, zero 4}, in the byte order of the machine.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberKey {
    words: [u64; 2],
}
words!(MemberKey, 2);

impl MemberKey {
    /// The membership of a cgroup, by the kernel's number of it, in a set.
    #[inline(always)]
    pub const fn new(cgroup: u64, set: SetId) -> Self {
        Self { words: [cgroup, set.0 as u64] }
    }

    /// The kernel's number of the cgroup.
    pub const fn cgroup(&self) -> u64 {
        self.words[0]
    }

    /// The set.
    #[expect(clippy::cast_possible_truncation, reason = "the word was made from a u32")]
    pub const fn set(&self) -> SetId {
        SetId(self.words[1] as u32)
    }
}

/// Value of the `members` table: the key says it all.
pub const MEMBER: u64 = 1;
