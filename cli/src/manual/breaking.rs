//! The changes that `diff --breaking` stands for.

use std::borrow::Cow;

use lrpc_linker::diff::Breaking;

use super::{Entry, Kind};

macro_rules! breaking {
    ($name:literal, $summary:literal) => {
        ($summary, include_str!(concat!("../../manual/breaking/", $name, ".md")))
    };
}

/// Every breaking rule.
pub(super) fn all() -> impl Iterator<Item = Entry> {
    Breaking::ALL.into_iter().map(|breaking| {
        let (summary, page) = page(breaking);
        Entry {
            name: Cow::Borrowed(breaking.as_str()),
            kind: Kind::Breaking,
            severity: None,
            summary: Cow::Borrowed(summary),
            since: super::FIRST,
            page: Cow::Borrowed(page),
        }
    })
}

fn page(breaking: Breaking) -> (&'static str, &'static str) {
    match breaking {
        Breaking::FrontendRemoved => {
            breaking!("frontend-removed", "no policy speaks of the frontend any more")
        }
        Breaking::BackendsEmptied => breaking!("backends-emptied", "the frontend had backends and has none"),
        Breaking::PortChanged => breaking!("port-changed", "a backend port that served does not any more"),
        Breaking::CoverageShrunk => {
            breaking!("coverage-shrunk", "fewer clients, nodes or refusals than before")
        }
        Breaking::SkipDropped => {
            breaking!("skip-dropped", "the backends' own traffic is no longer left alone")
        }
        Breaking::TrafficDropped => breaking!("traffic-dropped", "connections that went through are refused"),
    }
}
