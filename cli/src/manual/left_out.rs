//! Why a node's data path does not carry a row.

use std::borrow::Cow;

use lrpc_linker::profile::Gap;

use super::{Entry, Kind};

/// Every reason.
pub(super) fn all() -> impl Iterator<Item = Entry> {
    Gap::ALL.into_iter().map(|gap| {
        let (summary, page) = page(gap);
        Entry {
            name: Cow::Borrowed(gap.as_str()),
            kind: Kind::LeftOut,
            severity: None,
            summary: Cow::Borrowed(summary),
            since: super::FIRST,
            page: Cow::Borrowed(page),
        }
    })
}

fn page(gap: Gap) -> (&'static str, &'static str) {
    match gap {
        Gap::Mode => (
            "`apply` loads the install modes `full` and `socket` only",
            include_str!("../../manual/left_out/mode.md"),
        ),
    }
}
