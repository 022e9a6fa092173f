//! The places in the kernel where a program of ours runs.

use core::fmt;

/// A hook of the cgroup, and the program of the same name in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// `getpeername` of an IPv4 socket.
    Getpeername4,
    /// `connect` of an IPv4 socket.
    Connect4,
}

impl Hook {
    /// Every hook, in the order in which they are attached: a socket is redirected by the last of them only
    /// when everything that answers for it is in place.
    pub const ALL: [Self; 2] = [Self::Getpeername4, Self::Connect4];

    /// The name of the program, of its pins and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Getpeername4 => "getpeername4",
            Self::Connect4 => "connect4",
        }
    }

    /// The hook of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.name() == name)
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
