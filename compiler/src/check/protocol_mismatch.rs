//! R1: with one frontend port the agent compares its protocol with that of the first backend port and ignores the
//! policy where they differ.

use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::Policy;

pub(crate) const PAGE: Page = page!("protocol-mismatch", Error, since "0.1.0", "the only frontend port and the first backend port differ in protocol");

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    let Some([port]) = policy.frontend.as_ref().map(|frontend| frontend.ports().list.as_slice()) else {
        return;
    };
    let backend = policy.backend.ports.list.first().and_then(|backend| backend.protocol);
    let (Some(wanted), Some(served)) = (port.protocol, backend) else { return };
    if wanted != served {
        out.push(
            PAGE.report(format!(
                "a `{}` frontend cannot be served by a `{}` port",
                wanted.value, served.value
            ))
            .at(&policy.source, served.span, format!("serves `{}`", served.value))
            .related(&policy.source, wanted.span, format!("catches `{}`", wanted.value))
            .help("let the two protocols be the same"),
        );
    }
}
