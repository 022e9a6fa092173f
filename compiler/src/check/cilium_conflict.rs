//! L1, R27: policies on different ports of one Service are fine here, and fight for ever in Cilium.

use std::collections::BTreeMap;

use lrpc_schema::image::{Port, Protocol};

use super::{Set, frontend_overlap};
use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::{Frontend, Policy};

pub(crate) const PAGE: Page =
    page!("cilium-conflict", Warning, "two policies share a Service, which Cilium cannot do");

/// Compares the policies of each Service, and reports `frontend-overlap` where two claim one port.
pub(crate) fn check(set: &Set<'_>, is_double: &[bool], out: &mut Vec<Diagnostic>) {
    let default = set.options.default_namespace.as_deref();
    let mut claims = Vec::new();
    for (index, policy) in set.policies.iter().enumerate() {
        let Some(Frontend::Service { name: Some(service), .. }) = &policy.frontend else { continue };
        if let Some(name) = policy.policy_name(default).filter(|_| is_double.get(index) == Some(&false)) {
            claims.push((name.namespace, service.value.as_str(), index));
        }
    }
    claims.sort_unstable();
    for group in claims.chunk_by(|a, b| (&a.0, a.1) == (&b.0, b.1)) {
        let Some((namespace, service, _)) = group.first().filter(|_| group.len() > 1) else { continue };
        let policies = group.iter().filter_map(|(.., index)| set.policies.get(*index));
        sharing(&format!("{namespace}/{service}"), policies, out);
    }
}

fn sharing<'p>(service: &str, policies: impl Iterator<Item = &'p &'p Policy>, out: &mut Vec<Diagnostic>) {
    let mut first: Option<&Policy> = None;
    let mut of_all_ports: Option<&Policy> = None;
    let mut owners: BTreeMap<(Port, Protocol), &Policy> = BTreeMap::new();
    for policy in policies.copied() {
        let ports = policy.frontend.as_ref().map(Frontend::ports);
        let listed = ports.map_or(&[][..], |ports| &ports.list);
        let claimed = || listed.iter().filter_map(|info| Some((info.port?.value, info.protocol?.value)));
        let claims_all = ports.is_some_and(|ports| ports.is_whole) && listed.is_empty();
        let other = match (of_all_ports, first) {
            (Some(owner), _) => Some((owner, claimed().next())),
            (None, Some(owner)) if claims_all => Some((owner, None)),
            _ => claimed().find_map(|port| Some((*owners.get(&port)?, Some(port)))),
        };
        match (other, first) {
            (Some((owner, port)), _) => out.push(frontend_overlap::service(service, port, owner, policy)),
            (None, Some(first)) => out.push(report(service, first, policy)),
            (None, None) => {}
        }
        for port in claimed() {
            owners.entry(port).or_insert(policy);
        }
        if claims_all {
            of_all_ports.get_or_insert(policy);
        }
        first.get_or_insert(policy);
    }
}

fn report(service: &str, first: &Policy, again: &Policy) -> Diagnostic {
    let place = |policy: &Policy| match &policy.frontend {
        Some(Frontend::Service { name: Some(name), .. }) => name.span,
        Some(Frontend::Address { .. } | Frontend::Service { .. }) | None => policy.at,
    };
    PAGE.report(format!("two policies share the Service `{service}`, which Cilium cannot do"))
        .at(&again.source, place(again), "redirects other ports of it")
        .related(&first.source, place(first), "the first policy")
        .help("lrpc keeps them apart; write one policy with all the ports if Cilium must understand it too")
}
