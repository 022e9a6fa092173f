//! R9, R12: the ports of an address are joined with backend ports by name and protocol; one without a partner is
//! a black hole (R17).

use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::{Frontend, Policy};
use crate::names::nearest;

pub(crate) const PAGE: Page =
    page!("unmatched-frontend-name", Error, "a frontend port whose name no backend port has");

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let Some(Frontend::Address { ports, .. }) = &policy.frontend else { return };
    let backends = &policy.backend.ports;
    if ports.list.len() < 2 || !backends.is_whole {
        return;
    }
    for info in &ports.list {
        let (Some(name), Some(protocol)) = (info.name.written(), info.protocol) else { continue };
        if backends
            .list
            .iter()
            .any(|port| port.name.written() == Some(name) && port.protocol == Some(protocol))
        {
            continue;
        }
        let candidates = backends.list.iter().filter(|port| port.protocol == Some(protocol));
        let names = candidates.filter_map(|port| Some(port.name.written()?.value.as_str()));
        let help = match nearest(&name.value, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("add a backend port with `name: {}` and `protocol: {}`", name.value, protocol.value)
            }
        };
        out.push(
            PAGE.report(format!("no backend port is named `{}` with `{}`", name.value, protocol.value))
                .at(&policy.source, name.span, "nothing serves this port")
                .help(help),
        );
    }
}
