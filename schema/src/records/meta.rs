//! What a generation's programs need beside the tables.

/// The part of the `meta` table that programs read. The rest of the value, up to [`META_SIZE`](super::META_SIZE), is the
/// loader's own.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    words: [u64; 8],
}
words!(Meta, 8);

impl Meta {
    /// How many pods of `members` may be at different levels, and how many kubelet's trees.
    pub const LEVELS: usize = 4;

    /// A generation whose `members` are at these levels, pods and kubelet's trees, and whose node is in the
    /// network namespace with a cookie (0: in the kernel's initial one).
    pub const fn new(pods: Levels, trees: Levels, node_netns: u64) -> Self {
        Self { words: [pods.0, trees.0, node_netns, 0, 0, 0, 0, 0] }
    }

    /// At which levels pods are.
    #[inline(always)]
    pub const fn pods(&self) -> Levels {
        Levels(self.words[0])
    }

    /// At which levels kubelet's trees are.
    #[inline(always)]
    pub const fn trees(&self) -> Levels {
        Levels(self.words[1])
    }

    /// The cookie of the network namespace that is the node's own; 0 for the initial one (L6).
    #[inline(always)]
    pub const fn node_netns(&self) -> u64 {
        self.words[2]
    }
}

/// Up to [`Meta::LEVELS`] levels of the cgroup2 tree, whose root is level 0: one byte each, zeros behind the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels(u64);

impl Levels {
    /// The same with one more; `None` where there is no room, or for level 0 and levels beyond 255.
    #[must_use]
    pub fn with(self, level: usize) -> Option<Self> {
        let level = u8::try_from(level).ok().filter(|level| *level != 0)?;
        let mut bytes = self.0.to_le_bytes();
        if !bytes.contains(&level) {
            *bytes.iter_mut().take(Meta::LEVELS).find(|byte| **byte == 0)? = level;
        }
        Some(Self(u64::from_le_bytes(bytes)))
    }

    /// One of the levels, counted from 0; 0 where there are not so many.
    #[inline(always)]
    pub const fn at(self, index: u32) -> u64 {
        (self.0 >> (8 * index)) & 0xff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_levels_fit_and_each_counts_once() {
        let mut levels = Levels::default();
        assert_eq!(levels.at(0), 0);
        for level in [3, 2, 3, 255, 4] {
            levels = levels.with(level).unwrap();
        }
        assert_eq!([0, 1, 2, 3, 4].map(|index| levels.at(index)), [3, 2, 255, 4, 0]);
        assert_eq!(levels.with(9), None);
        assert_eq!(levels.with(4), Some(levels));
        assert_eq!(Levels::default().with(0), None);
        assert_eq!(Levels::default().with(256), None);
    }
}
