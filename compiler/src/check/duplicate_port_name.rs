//! L2: one name twice with one protocol among the backend ports: which number is meant? In Cilium both serve it.

use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::{Policy, PortInfo};

pub(crate) const PAGE: Page = page!("duplicate-port-name", Error, "a name stands for two backend ports");

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let list = &policy.backend.ports.list;
    for (index, info) in list.iter().enumerate() {
        let (Some(name), Some(protocol), Some(port)) = (info.name.written(), info.protocol, info.port) else {
            continue;
        };
        // The same port under the same name is `duplicate-port`.
        let is_other = |other: &&PortInfo| {
            other.name.written() == Some(name)
                && other.protocol == Some(protocol)
                && other.port.is_some_and(|other| other != port)
        };
        if let Some(first) = list.iter().take(index).find(is_other).and_then(|first| first.name.written()) {
            out.push(
                PAGE.report(format!("the name `{}` stands for two `{}` ports", name.value, protocol.value))
                    .at(&policy.source, name.span, "named again here")
                    .related(&policy.source, first.span, "first named here")
                    .help("give each backend port a name of its own"),
            );
        }
    }
}
