//! R8: with one frontend port only the first backend port counts.

use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::Policy;

pub(crate) const PAGE: Page = page!("ignored-backend-port", Warning, since "0.1.0", "a backend port that a policy with one frontend port ignores");

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let ports = &policy.backend.ports;
    if !policy.is_single() || !ports.is_whole {
        return;
    }
    if let [first, second, ..] = ports.list.as_slice() {
        out.push(
            PAGE.report("only the first backend port serves a single frontend port")
                .at(&policy.source, second.at, "ignored from here on")
                .related(&policy.source, first.at, "this one counts")
                .help("remove the other backend ports, or list as many frontend ports"),
        );
    }
}
