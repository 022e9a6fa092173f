//! What `--breaking` stands for.

use std::fmt;

/// A change after which connections that a policy served are not served, or served elsewhere than its
/// clients expect, or after which connections are refused that went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breaking {
    /// No policy speaks of the frontend any more.
    FrontendRemoved,
    /// It had backends and has none.
    BackendsEmptied,
    /// A backend port that served it does not any more.
    PortChanged,
    /// Fewer clients (L6) or nodes (L7) than before, `drop` no longer closes it (L5), or it yields to a
    /// Service that it shadowed (L1).
    CoverageShrunk,
    /// The backends' own traffic is no longer left alone (L8).
    SkipDropped,
    /// Without a backend its connections are refused, and were not (L5); of a row: they are refused now.
    TrafficDropped,
}

impl Breaking {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::FrontendRemoved,
        Self::BackendsEmptied,
        Self::PortChanged,
        Self::CoverageShrunk,
        Self::SkipDropped,
        Self::TrafficDropped,
    ];

    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FrontendRemoved => "frontend-removed",
            Self::BackendsEmptied => "backends-emptied",
            Self::PortChanged => "port-changed",
            Self::CoverageShrunk => "coverage-shrunk",
            Self::SkipDropped => "skip-dropped",
            Self::TrafficDropped => "traffic-dropped",
        }
    }
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
