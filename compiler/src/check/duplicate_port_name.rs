//! L2: one name twice with one protocol among the backend ports: which number is meant? In Cilium both serve it.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::Policy;

pub(crate) const PAGE: Page =
    page!("duplicate-port-name", Error, since "0.1.0", "a name stands for two backend ports");

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let mut seen = BTreeMap::new();
    for info in &policy.backend.ports.list {
        let (Some(name), Some(protocol), Some(port)) = (info.name.written(), info.protocol, info.port) else {
            continue;
        };
        let (first, number) =
            *seen.entry((name.value.as_str(), protocol.value)).or_insert((name.span, port.value));
        // The same number under the same name is `duplicate-port`.
        if number != port.value {
            out.push(
                PAGE.report(format!("the name `{}` stands for two `{}` ports", name.value, protocol.value))
                    .at(&policy.source, name.span, "named again here")
                    .related(&policy.source, first, "first named here")
                    .help("give each backend port a name of its own"),
            );
        }
    }
}
