//! L2: one (port, protocol) twice in the frontend list, or in the backend list under one name or where names do
//! not count, is a slip: which line counts?

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::{Policy, Ports};
use crate::source::Source;

pub(crate) const PAGE: Page = page!("duplicate-port", Error, since "0.1.0", "a port is listed twice");

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let Some(frontend) = &policy.frontend else { return };
    doubles(&policy.source, frontend.ports(), false, out);
    doubles(&policy.source, &policy.backend.ports, policy.do_names_count(), out);
}

/// Reports the ports that are the same; with `names_count`, ports of two names are not.
fn doubles(source: &Source, ports: &Ports, names_count: bool, out: &mut Vec<Diagnostic>) {
    let mut seen = BTreeMap::new();
    for info in &ports.list {
        let (Some(port), Some(protocol)) = (info.port, info.protocol) else { continue };
        let name = if names_count { info.name() } else { None };
        let first = *seen.entry((port.value, protocol.value, name)).or_insert(port.span);
        if first != port.span {
            out.push(
                PAGE.report(format!("the port `{}/{}` is listed twice", port.value, protocol.value))
                    .at(source, port.span, "listed again here")
                    .related(source, first, "first listed here")
                    .help("remove one of the two"),
            );
        }
    }
}
