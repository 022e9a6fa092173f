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
    /// A generation without an audit flag, without a lease, and with pods at the cgroup levels of the mask
    /// (bit n: pods sit n levels below the cgroup2 root).
    pub const fn new(pod_levels: u64) -> Self {
        Self { words: [pod_levels, 0, 0, 0, 0, 0, 0, 0] }
    }

    /// Bit n is set where pods sit n levels below the cgroup2 root.
    pub const fn pod_levels(&self) -> u64 {
        self.words[0]
    }
}
