//! R9, R15: two Service ports may lead to one port of the pods, but two names for one backend port are more often
//! a `protocol: UDP` that was copied with its line: `dns-tcp` then answers no TCP.

use std::collections::BTreeMap;

use lrpc_schema::image::Protocol;

use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::Policy;

pub(crate) const PAGE: Page =
    page!("one-port-two-names", Warning, since "0.1.0", "one backend port stands under two names");

pub(crate) fn check(policy: &Policy, out: &mut Vec<Diagnostic>) {
    // Where names do not count, the second is `duplicate-port`.
    if !policy.do_names_count() {
        return;
    }
    let mut seen = BTreeMap::new();
    for info in &policy.backend.ports.list {
        let (Some(name), Some(protocol), Some(port)) = (info.name.written(), info.protocol, info.port) else {
            continue;
        };
        let (first, first_protocol) =
            *seen.entry((port.value, protocol.value)).or_insert((name, protocol.span));
        if first.value == name.value {
            continue;
        }
        let (own, other) = (protocol.value, other(protocol.value));
        let wrong = [(name, protocol.span), (first, first_protocol)]
            .into_iter()
            .find(|(name, _)| says(&name.value, other) && !says(&name.value, own));
        let found = match wrong {
            Some((wrong, at)) => {
                let same = if wrong.value == name.value { first } else { name };
                PAGE.report(format!("backend port `{}` is {own}, as `{}` is, and its name says {other}", wrong.value, same.value))
                    .at(&policy.source, at, format!("{other}?"))
                    .related(&policy.source, same.span, format!("the same port {}/{own}", port.value))
                    .help(format!(
                        "write `protocol: {other}` for `{}`; as it is, {other} to a Service port of that name is not redirected",
                        wrong.value
                    ))
            }
            None if [first, name].into_iter().all(|name| is_listed(policy, &name.value, own)) => continue,
            None => PAGE
                .report(format!(
                    "backend ports `{}` and `{}` are one port {}/{own}",
                    first.value, name.value, port.value
                ))
                .at(&policy.source, name.span, "another name for it")
                .related(&policy.source, first.span, "named here first")
                .help(
                    "check number and protocol of both; if two Service ports lead to one port of the pods, say so: \
                     `# lrpc: allow(one-port-two-names) reason`",
                ),
        };
        out.push(found);
    }
}

/// The policy lists a frontend port of that name and protocol, so that the name is meant.
fn is_listed(policy: &Policy, name: &str, protocol: Protocol) -> bool {
    let listed = policy.frontend.iter().flat_map(|frontend| &frontend.ports().list);
    let mut same = listed.filter(|info| info.protocol.is_some_and(|one| one.value == protocol));
    same.any(|info| info.name() == Some(name))
}

const fn other(protocol: Protocol) -> Protocol {
    match protocol {
        Protocol::Tcp => Protocol::Udp,
        Protocol::Udp => Protocol::Tcp,
    }
}

/// Whether a port's name speaks of a protocol, as `dns-tcp` and `tcpdns` do.
fn says(name: &str, protocol: Protocol) -> bool {
    name.contains(&protocol.as_str().to_ascii_lowercase())
}
