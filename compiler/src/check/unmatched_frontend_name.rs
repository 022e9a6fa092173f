//! R9, R12: the ports of an address are joined with backend ports by name and protocol; one without a partner is
//! a black hole (R17).

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::{Frontend, Policy, PortInfo};
use crate::names::nearest;

pub(crate) const PAGE: Page =
    page!("unmatched-frontend-name", Error, since "0.1.0", "a frontend port whose name no backend port has");

/// Names among which the one that was meant is looked for.
const CANDIDATES: usize = 50;
/// Names that are listed where none was meant.
const LISTED: usize = 5;

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let Some(Frontend::Address { ports, .. }) = &policy.frontend else { return };
    let backends = &policy.backend.ports;
    if ports.list.len() < 2 || !backends.is_whole {
        return;
    }
    let served: BTreeSet<_> =
        backends.list.iter().filter_map(|port| Some((PortInfo::name(port)?, port.protocol?.value))).collect();
    for info in &ports.list {
        let (Some(name), Some(protocol)) = (info.name.written(), info.protocol) else { continue };
        if served.contains(&(name.value.as_str(), protocol.value)) {
            continue;
        }
        let names = served.iter().filter(|(_, served)| *served == protocol.value).map(|(name, _)| *name);
        let names: Vec<&str> = names.take(CANDIDATES).collect();
        let help = match (nearest(&name.value, names.iter().copied()), names.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => {
                format!("add a backend port with `name: {}` and `protocol: {}`", name.value, protocol.value)
            }
            (None, names) => {
                let list: Vec<_> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
                let more = if names.len() > LISTED { ", …" } else { "" };
                format!(
                    "add a backend port of this name and protocol, or use the name of one: {}{more}",
                    list.join(", ")
                )
            }
        };
        out.push(
            PAGE.report(format!("no backend port is named `{}` with `{}`", name.value, protocol.value))
                .at(&policy.source, name.span, "nothing serves this port")
                .help(help),
        );
    }
}
