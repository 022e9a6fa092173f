//! L1, R27: policies on different ports of one Service are fine here, and fight for ever in Cilium.

use std::collections::BTreeMap;

use lrpc_schema::image::{Port, Protocol};

use super::{Member, Set, frontend_overlap};
use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::Frontend;

pub(crate) const PAGE: Page =
    page!("cilium-conflict", Warning, since "0.1.0", "two policies share a Service, which Cilium cannot do");

/// Compares the policies of each Service, and reports `frontend-overlap` where two claim one port.
pub(crate) fn check(set: &Set<'_>, is_double: &[bool], out: &mut Vec<Diagnostic>) {
    let mut claims = Vec::new();
    for (index, member) in set.members.iter().enumerate() {
        let Some(Frontend::Service { name: Some(service), .. }) = &member.policy.frontend else { continue };
        if let Some(name) = member.name.as_ref().filter(|_| is_double.get(index) == Some(&false)) {
            claims.push((&*name.namespace, service.value.as_str(), index));
        }
    }
    claims.sort_unstable();
    for group in claims.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some((namespace, service, _)) = group.first().filter(|_| group.len() > 1) else { continue };
        let members = group.iter().filter_map(|(.., index)| set.members.get(*index));
        sharing(&format!("{namespace}/{service}"), members, out);
    }
}

fn sharing<'m>(service: &str, members: impl Iterator<Item = &'m Member<'m>>, out: &mut Vec<Diagnostic>) {
    let mut first: Option<&Member<'_>> = None;
    let mut of_all_ports: Option<&Member<'_>> = None;
    let mut owners: BTreeMap<(Port, Protocol), &Member<'_>> = BTreeMap::new();
    for member in members {
        let ports = member.policy.frontend.as_ref().map(Frontend::ports);
        let listed = ports.map_or(&[][..], |ports| &ports.list);
        let claimed = || listed.iter().filter_map(|info| Some((info.port?.value, info.protocol?.value)));
        let claims_all = ports.is_some_and(|ports| ports.is_whole) && listed.is_empty();
        let other = match (of_all_ports, first) {
            (Some(owner), _) => Some((owner, claimed().next())),
            (None, Some(owner)) if claims_all => Some((owner, None)),
            _ => claimed().find_map(|port| Some((*owners.get(&port)?, Some(port)))),
        };
        match (other, first) {
            (Some((owner, port)), _) => out.push(frontend_overlap::service(service, port, owner, member)),
            (None, Some(first)) => out.push(report(service, first, member)),
            (None, None) => {}
        }
        for port in claimed() {
            owners.entry(port).or_insert(member);
        }
        if claims_all {
            of_all_ports.get_or_insert(member);
        }
        first.get_or_insert(member);
    }
}

fn report(service: &str, first: &Member<'_>, again: &Member<'_>) -> Diagnostic {
    let diagnostic = PAGE
        .report(format!("two policies share the Service `{service}`, which Cilium cannot do"))
        .at(&again.policy.source, again.policy.frontend_at(), "redirects other ports of it")
        .related(&first.policy.source, first.policy.frontend_at(), "the first policy")
        .help("lrpc keeps them apart; write one policy with all the ports if Cilium must understand it too");
    again.about(diagnostic)
}
