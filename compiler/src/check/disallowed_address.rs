//! L14: `allowed-addresses` of `lrpc.toml`, or `--allow-address`, says which addresses policies may redirect.

use super::Set;
use crate::diagnostic::{Diagnostic, Page, page};

use crate::hir::Frontend;

pub(crate) const PAGE: Page =
    page!("disallowed-address", Error, since "0.1.0", "a frontend address outside the list of allowed ones");

pub(crate) fn check(set: &Set<'_>, out: &mut Vec<Diagnostic>) {
    let Some(allowed) = &set.options.allowed_addresses else { return };
    for member in &set.members {
        let policy = member.policy;
        let Some(Frontend::Address { ip: Some(ip), .. }) = &policy.frontend else { continue };
        if allowed.iter().any(|net| net.contains(&ip.value.get())) {
            continue;
        }
        let list = allowed.iter().map(|net| format!("`{net}`")).collect::<Vec<_>>().join(", ");
        let help = match allowed.as_slice() {
            [] => {
                "no address is allowed; extend `allowed-addresses` in `lrpc.toml` or give `--allow-address`"
                    .to_owned()
            }
            _ => format!(
                "allowed are {list}; extend `allowed-addresses` in `lrpc.toml` or give `--allow-address`"
            ),
        };
        let diagnostic = PAGE
            .report(format!("the address `{}` may not be redirected", ip.value))
            .at(&policy.source, ip.span, "outside `allowed-addresses`")
            .help(help);
        out.push(member.about(diagnostic));
    }
}
