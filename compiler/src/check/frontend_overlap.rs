//! L1: a packet would have two owners. An all-ports policy claims every port of its Service; neither clients (L6)
//! nor nodes (L7) make two claims disjoint.

use std::net::SocketAddr;

use lrpc_schema::image::{Port, Protocol};

use super::{Member, Set};
use crate::clusters;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::Frontend;

pub(crate) const PAGE: Page =
    page!("frontend-overlap", Error, since "0.1.0", "two policies claim one frontend");

/// The claims of policies that are not the second of their name, on addresses.
pub(crate) fn check(set: &Set<'_>, is_double: &[bool], out: &mut Vec<Diagnostic>) {
    let mut claims = Vec::new();
    for (index, member) in set.members.iter().enumerate() {
        let Some(Frontend::Address { ip: Some(ip), ports }) = &member.policy.frontend else { continue };
        if is_double.get(index) == Some(&true) {
            continue;
        }
        for info in &ports.list {
            if let (Some(port), Some(protocol)) = (info.port, info.protocol) {
                claims.push((ip.value.get(), port.value, protocol.value, index));
            }
        }
    }
    claims.sort_unstable();
    claims.dedup();
    let mut overlaps: Vec<(usize, usize, String)> = Vec::new();
    for group in claims.chunk_by(|a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2)) {
        let Some(((ip, port, protocol, first), rest)) = group.split_first() else { continue };
        let frontend = format_args!("{}/{protocol}", SocketAddr::new(*ip, port.get())).to_string();
        overlaps.extend(rest.iter().map(|(.., again)| (*again, *first, frontend.clone())));
    }
    overlaps.sort_unstable_by_key(|(again, first, _)| (*again, *first));
    for pair in overlaps.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some((again, first, _)) = pair.first() else { continue };
        if let (Some(again), Some(first)) = (set.members.get(*again), set.members.get(*first)) {
            out.extend(report(pair.iter().map(|(.., frontend)| frontend.as_str()), first, again));
        }
    }
}

fn report<'f>(
    mut frontends: impl Iterator<Item = &'f str>,
    first: &Member<'_>,
    again: &Member<'_>,
) -> Option<Diagnostic> {
    let frontend = frontends.next()?;
    let message = match frontends.count() {
        0 => format!("frontend `{frontend}` is claimed twice"),
        more => format!("frontend `{frontend}` and {more} more are claimed twice"),
    };
    Some(claimed_twice(message, "remove one of the two or give them different ports", first, again))
}

/// Two policies claim one Service port; `port` is `None` where one of them claims all.
pub(super) fn service(
    service: &str,
    port: Option<(Port, Protocol)>,
    first: &Member<'_>,
    again: &Member<'_>,
) -> Diagnostic {
    let frontend = match port {
        Some((port, protocol)) => format!("service:{service}:{port}/{protocol}"),
        None => format!("service:{service}:*"),
    };
    let message = format!("frontend `{frontend}` is claimed twice");
    claimed_twice(message, "remove one of the two or list different ports in each", first, again)
}

fn claimed_twice(message: String, remedy: &str, first: &Member<'_>, again: &Member<'_>) -> Diagnostic {
    let diagnostic = PAGE
        .report(message)
        .at(&again.policy.source, again.policy.frontend_at(), "claimed again here")
        .related(&first.policy.source, first.policy.frontend_at(), "first claimed here")
        .help(format!("{remedy}{}", clusters::apart(&first.policy.source, &again.policy.source)));
    again.about(diagnostic)
}
