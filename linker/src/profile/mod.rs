//! What a node's data path carries of a row, and why not: one table for everyone who asks.
//!
//! `resolve` asks it before it makes bytes, `link`, `diff` and `check` before they promise anything. A row
//! that is not carried is left out whole, with its reason: half of a policy is another policy. Where the
//! policy is a security boundary (`lrpc.dev/fallback: drop`, L5), leaving a row out would open it, so the
//! whole set is refused.

mod findings;
mod gap;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lrpc_schema::diagnostic::{Code, Diagnostic, Page, Severity};
use lrpc_schema::image::{Fallback, Policy, PolicyName};
use serde::{Deserialize, Serialize};

use crate::mapset::{Frontend, MapSet, Outcome, Row};

pub use findings::{findings, refused};
pub use gap::Gap;

/// Where socket hooks act (L17). This version loads [`Mode::Full`] only.
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

/// What a data path can do: the install mode and what the programs of this version hook into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    mode: Mode,
}

/// How much of a row a data path carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// All of it.
    Whole,
    /// It is applied, although the gap stays.
    Partly(Gap),
    /// It is left out.
    Not(Gap),
}

impl Profile {
    /// The profile of an install mode with this version's programs.
    pub const fn new(mode: Mode) -> Self {
        Self { mode }
    }

    /// Where its hooks act.
    pub const fn mode(self) -> Mode {
        self.mode
    }

    /// What is carried of a row that is redirected or dropped; the reason for which one is left out comes
    /// before the lesser one. A row in state `original` needs nothing and is carried.
    pub fn carries(self, row: &Row) -> Carried {
        if matches!(row.outcome, Outcome::Original(_)) {
            return Carried::Whole;
        }
        match self.lacks().iter().find(|gap| gap.concerns(row)) {
            None => Carried::Whole,
            Some(gap @ Gap::UnconnectedUdp) => Carried::Partly(*gap),
            Some(gap @ (Gap::Mode | Gap::Ipv6 | Gap::Clients | Gap::Skip)) => Carried::Not(*gap),
        }
    }

    /// What the programs of this version lack in this mode, the graver gap first. No kernel that they load on
    /// takes more away.
    pub const fn lacks(self) -> &'static [Gap] {
        match self.mode {
            Mode::Full => &[Gap::Ipv6, Gap::Clients, Gap::Skip, Gap::UnconnectedUdp],
            Mode::HostOnly | Mode::Socket | Mode::PodsOnly => &[Gap::Mode],
        }
    }

    /// Why the node leaves a row out; `None` where it does not.
    pub fn left_out(self, row: &Row) -> Option<Gap> {
        match self.carries(row) {
            Carried::Not(gap) => Some(gap),
            Carried::Whole | Carried::Partly(_) => None,
        }
    }

    /// Whether the kernel gets an entry for a row: it is redirected or dropped, and not left out.
    pub fn holds(self, row: &Row) -> bool {
        !matches!(row.outcome, Outcome::Original(_)) && self.left_out(row).is_none()
    }

    /// For which gap a policy that says `lrpc.dev/fallback: drop` cannot be carried whole wherever it acts,
    /// whatever runs in the cluster; `None` for one that falls back to `original`.
    fn boundary_gap(self, policy: &Policy) -> Option<Gap> {
        let mut gaps = self.lacks().iter().copied();
        let is_boundary = policy.fallback == Fallback::Drop;
        gaps.find(|gap| is_boundary && gap.concerns_policy(policy))
    }

    /// Refuses a row that would be carried in part although its policy must not be (L5).
    ///
    /// # Errors
    /// [`HalfPolicy`] where the policy says `fallback: drop` and something is missing.
    pub fn whole(self, row: &Row) -> Result<(), HalfPolicy> {
        match self.carries(row) {
            Carried::Not(gap) | Carried::Partly(gap) if row.fallback == Fallback::Drop => {
                Err(HalfPolicy { policy: row.policy.clone(), frontend: row.frontend, gap })
            }
            Carried::Whole | Carried::Partly(_) | Carried::Not(_) => Ok(()),
        }
    }
}

/// Rows that are left out, or carried in part, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Why.
    pub gap: Gap,
    /// How many rows.
    pub rows: usize,
    /// Their policies, sorted.
    pub policies: Vec<PolicyName>,
}

impl Warning {
    /// The warning as reports have it; it is at no place, and about one policy or about several.
    pub fn diagnostic<At>(&self) -> Diagnostic<At> {
        let page = match self.gap {
            Gap::UnconnectedUdp => UNCONNECTED_UDP,
            Gap::Mode | Gap::Ipv6 | Gap::Clients | Gap::Skip => LEFT_OUT,
        };
        let policy = match self.policies.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        let policies: Vec<String> = self.policies.iter().map(ToString::to_string).collect();
        Diagnostic { policy, ..page.report(self.to_string()) }.help(format!("of {}", policies.join(", ")))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        match self.gap {
            Gap::UnconnectedUdp => {
                write!(f, "{} UDP {rows} serve connected sockets only in this version", self.rows)
            }
            Gap::Mode | Gap::Ipv6 | Gap::Clients | Gap::Skip => {
                write!(f, "{} {rows} left out: this version does not redirect {}", self.rows, self.gap)
            }
        }
    }
}

/// What a profile does not carry of a map set, at most one warning of each kind.
pub fn warnings(set: &MapSet, profile: Profile) -> Vec<Warning> {
    let mut gaps: BTreeMap<Gap, (usize, BTreeSet<&PolicyName>)> = BTreeMap::new();
    for row in set.rows() {
        if let Carried::Partly(gap) | Carried::Not(gap) = profile.carries(row) {
            let (rows, policies) = gaps.entry(gap).or_default();
            *rows += 1;
            policies.insert(&row.policy);
        }
    }
    let warning = |(gap, (rows, policies)): (Gap, (usize, BTreeSet<&PolicyName>))| Warning {
        gap,
        rows,
        policies: policies.into_iter().cloned().collect(),
    };
    gaps.into_iter().map(warning).collect()
}

const LEFT_OUT: Page = Page {
    code: Code::new("left-out"),
    severity: Severity::Warning,
    summary: "this version cannot carry some rows, and apply leaves them out",
    since: "0.1.0",
    page: include_str!("../../diagnostics/left-out.md"),
};

const UNCONNECTED_UDP: Page = Page {
    code: Code::new("unconnected-udp"),
    severity: Severity::Warning,
    summary: "this version redirects connected UDP sockets only",
    since: "0.1.0",
    page: include_str!("../../diagnostics/unconnected-udp.md"),
};

/// A policy with `lrpc.dev/fallback: drop` for which an apply would be refused.
pub const DROP_LEFT_OPEN: Page = Page {
    code: Code::new("drop-left-open"),
    severity: Severity::Warning,
    summary: "apply refuses a set with a policy that would not be closed",
    since: "0.1.0",
    page: include_str!("../../diagnostics/drop-left-open.md"),
};

/// The pages of [`Warning`] and of [`findings()`], sorted by code.
pub static PAGES: &[Page] = &[DROP_LEFT_OPEN, LEFT_OUT, UNCONNECTED_UDP];

/// A policy must not be loaded halfway (L5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "policy `{policy}` says `lrpc.dev/fallback: drop`, and its frontend `{frontend}` would not be closed: \
     this version does not carry {gap}"
)]
pub struct HalfPolicy {
    /// The policy.
    pub policy: PolicyName,
    /// The row that cannot be carried whole.
    pub frontend: Frontend,
    /// What is missing.
    pub gap: Gap,
}
