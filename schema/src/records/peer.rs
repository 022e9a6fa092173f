//! What a redirected socket remembers.

use super::{Backend, FrontendKey};

/// What a redirected socket remembers, so that getpeername says the frontend for as long as the socket
/// lives (L11): {frontend address 16, port 2, protocol 1, zero 5}, {backend address 16, port 2, zero 6}.
/// It names no generation and no index of one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    words: [u64; 6],
}
words!(Peer, 6);

impl Peer {
    /// What a socket that wanted `frontend` and got `backend` remembers.
    #[inline(always)]
    pub const fn new(frontend: FrontendKey, backend: Backend) -> Self {
        let ([a, b, c], [d, e, f]) = (frontend.words, backend.words);
        Self { words: [a, b, c, d, e, f] }
    }

    /// The record out of its words.
    #[inline(always)]
    pub(super) const fn from_words(words: [u64; 6]) -> Self {
        Self { words }
    }

    /// What the program connected to.
    #[inline(always)]
    pub const fn frontend(&self) -> FrontendKey {
        FrontendKey { words: [self.words[0], self.words[1], self.words[2]] }
    }

    /// What the socket was connected to instead.
    #[inline(always)]
    pub const fn backend(&self) -> Backend {
        Backend { words: [self.words[3], self.words[4], self.words[5]] }
    }
}
