//! What a node's data path carries of a row, and why not: one answer for everyone who asks.
//!
//! `link`, `diff` and `trace` show it before anything is promised; `apply` refuses a mode that has no programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::mapset::{Outcome, Row};

/// Where socket hooks act (L17). There are programs for [`Mode::Full`] and [`Mode::Socket`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Socket hooks act for pods and host processes.
    #[default]
    Full,
    /// Socket hooks act for host processes, pods are redirected per packet.
    HostOnly,
    /// As `full`, on a node whose other Services are left to kube-proxy.
    Socket,
    /// Pods are redirected per packet, host processes not at all.
    PodsOnly,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::HostOnly => "host-only",
            Self::Socket => "socket",
            Self::PodsOnly => "pods-only",
        })
    }
}

/// What a data path can do in an install mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    mode: Mode,
}

impl Profile {
    /// The profile of an install mode.
    pub const fn new(mode: Mode) -> Self {
        Self { mode }
    }

    /// Where its hooks act.
    pub const fn mode(self) -> Mode {
        self.mode
    }

    /// What the programs lack in this mode. No kernel that they load on takes more away.
    pub const fn lacks(self) -> Option<Gap> {
        match self.mode {
            Mode::Full | Mode::Socket => None,
            Mode::HostOnly | Mode::PodsOnly => Some(Gap::Mode),
        }
    }

    /// Why the node leaves a row out; `None` where it does not. A row in state `original` needs nothing.
    pub fn left_out(self, row: &Row) -> Option<Gap> {
        match row.outcome {
            Outcome::Original(_) => None,
            Outcome::Redirect(_) | Outcome::Drop(_) => self.lacks(),
        }
    }

    /// Whether the kernel gets an entry for a row: it is redirected or dropped, and not left out.
    pub fn holds(self, row: &Row) -> bool {
        !matches!(row.outcome, Outcome::Original(_)) && self.left_out(row).is_none()
    }
}

/// What a data path cannot do for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// The install mode (L17).
    Mode,
}

impl Gap {
    /// Every one.
    pub const ALL: [Self; 1] = [Self::Mode];

    /// The reason in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mode => "mode",
        }
    }
}

/// What is missing, in words.
impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mode => "modes other than `full` and `socket`",
        })
    }
}
