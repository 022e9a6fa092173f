//! One policy on one node: its rows, each with the first reason that holds, and what is found there.

use std::sync::Arc;

use lrpc_schema::image::{Clients, Fallback, Policy, is_metadata};

use super::backends::{Usable, usable};
use super::claims::{Claim, Claims};
use super::reach;
use super::selected::{Selected, client_pods};
use super::served::{SinglePort, wanted};
use super::{acts_on, holes};
use crate::findings::{
    AddressNotAllowed, BackendAddressIgnored, BackendNotIdentified, Facts, Finding, MetadataAddress,
    NoReadyPod, PodAtFrontend, PortNotServed, SelectorMatchesNothing, SelfRedirect, SessionAffinity,
    UnreachablePod,
};
use crate::inventory::{Inventory, Node, Pod};
use crate::mapset::{Outcome, PodRef, Reason, Row};

/// Adds the rows of a policy on a node, and its findings.
pub(super) fn link(
    claims: &Claims<'_>,
    inventory: &Inventory,
    node: &Node,
    rows: &mut Vec<Row>,
    findings: &mut Vec<Finding>,
) {
    let policy = claims.policy;
    if !acts_on(policy, node) {
        let original = |claim| row(claims, claim, Outcome::Original(Reason::NodeNotSelected));
        rows.extend(claims.frontends.iter().map(original));
        return;
    }
    let selected = Selected::new(policy, inventory, &node.name);
    findings.extend(claims.findings.iter().cloned());
    about_pods(claims, &selected, inventory, findings);

    let single = claims.service.and_then(|service| SinglePort::new(policy, service, &selected));
    let judge = Judge {
        claims,
        selected: &selected,
        single: single.as_ref(),
        is_identified: selected.unidentified().next().is_none(),
        is_any_ready: selected.ready().next().is_some(),
    };
    let mut unserved = Vec::new();
    let first = rows.len();
    let (exempt, clients) = (selected.exempt(), client_pods(policy, inventory, &node.name));
    for claim in &claims.frontends {
        let mut row = row(claims, claim, judge.outcome(claim, &mut unserved, findings));
        if !matches!(row.outcome, Outcome::Original(_)) {
            row.skip = exempt.clone();
            row.client_pods = clients.clone();
        }
        rows.push(row);
    }
    if let Some(service) = claims.service
        && !unserved.is_empty()
    {
        let is_any_served = unserved.len() < claims.frontends.len();
        let pods: Vec<_> = selected.ready().collect();
        findings
            .push(PortNotServed { policy, service, ports: &unserved, is_any_served, pods: &pods }.found());
    }
    let rows = rows.get(first..).unwrap_or_default();
    about_redirects(claims, &selected, rows, findings);
    about_clients(claims, &selected, rows, inventory, node, findings);
}

fn row(claims: &Claims<'_>, claim: &Claim<'_>, outcome: Outcome) -> Row {
    let policy = claims.policy;
    Row {
        frontend: claim.frontend,
        policy: policy.name.clone(),
        service: claims.service.map(|service| service.name.clone()),
        outcome,
        skip_flag: policy.skip,
        skip: Arc::default(),
        fallback: policy.fallback,
        clients: policy.clients.clone(),
        client_pods: Arc::default(),
    }
}

/// What the policy's pods on this node do not have.
fn about_pods(
    claims: &Claims<'_>,
    selected: &Selected<'_>,
    inventory: &Inventory,
    findings: &mut Vec<Finding>,
) {
    let policy = claims.policy;
    if !claims.allowed {
        findings.push(AddressNotAllowed { policy }.found());
    }
    findings.extend(
        selected.unidentified().map(|pod| BackendNotIdentified { policy, pod: &pod.reference }.found()),
    );
    let finished = selected.finished();
    if selected.iter().next().is_none() && finished.is_empty() {
        findings.push(SelectorMatchesNothing { policy, inventory }.found());
    } else if selected.ready().next().is_none() {
        let pods: Vec<_> = selected.iter().collect();
        findings.push(NoReadyPod { policy, pods: &pods, finished }.found());
    }
    let unreachable = |pod: &&Pod| policy.backend.address.is_none() && !pod.unreachable.is_empty();
    findings.extend(selected.ready().find(unreachable).map(|pod| UnreachablePod { policy, pod }.found()));
    let left_out: Vec<_> = selected.left_out().collect();
    if !left_out.is_empty() {
        findings.push(BackendAddressIgnored { policy, pods: &left_out }.found());
    }
}

/// What follows from the redirects of this node.
fn about_redirects(claims: &Claims<'_>, selected: &Selected<'_>, rows: &[Row], findings: &mut Vec<Finding>) {
    let policy = claims.policy;
    if !policy.skip
        && !claims.has_upstream
        && let Some(row) = to_itself(claims, selected, rows)
    {
        findings.push(SelfRedirect { policy, row, service: claims.service }.found());
    }
    if let Some(service) = claims.service.filter(|service| service.client_affinity)
        && rows.iter().any(|row| row.backends().len() > 1)
    {
        findings.push(SessionAffinity { policy, service: &service.name }.found());
    }
}

/// The first row that redirects a backend's own connections to backends.
fn to_itself<'r>(claims: &Claims<'_>, selected: &Selected<'_>, rows: &'r [Row]) -> Option<&'r Row> {
    let is_client = |pod: &Pod| match &claims.policy.clients {
        Clients::All | Clients::AllPods | Clients::Namespace => true,
        Clients::Pods => !pod.host_network,
        Clients::Selector(selector) => selector.matches(&pod.labels),
    };
    // Behind its own Service a pod has no upstream to miss (L8).
    let is_other = |pod: &Pod| claims.service.is_none_or(|service| !reach::selects(service, pod));
    let caught = selected.ready().filter(|pod| is_client(pod) && is_other(pod));
    // Sorted by name, as the selected pods are.
    let caught: Vec<_> = caught.map(|pod| &pod.reference).collect();
    let is_caught = |pod: &PodRef| caught.binary_search(&pod).is_ok();
    rows.iter().find(|row| row.backends().iter().flat_map(|backend| &backend.pods).any(is_caught))
}

/// Whom a redirected metadata address takes its clients from (L6).
fn about_clients(
    claims: &Claims<'_>,
    selected: &Selected<'_>,
    rows: &[Row],
    inventory: &Inventory,
    node: &Node,
    findings: &mut Vec<Finding>,
) {
    let policy = claims.policy;
    let Some(row) = rows.iter().find(|row| takes_metadata(row)) else { return };
    let is_exempt = |pod: &Pod| policy.skip && selected.iter().any(|one| one.reference == pod.reference);
    let of_node = inventory.pods_of_node(&node.name);
    let caught: Vec<_> = of_node.filter(|pod| pod.host_network && !pod.finished && !is_exempt(pod)).collect();
    match policy.clients {
        Clients::AllPods if caught.is_empty() => {}
        Clients::All | Clients::AllPods => {
            findings.push(MetadataAddress { policy, frontend: row.frontend, pods: &caught }.found());
        }
        Clients::Pods | Clients::Namespace | Clients::Selector(_) => {}
    }
}

/// A cloud answers at the row's frontend, and the policy may have it: whether it has a backend now is a matter
/// of time.
fn takes_metadata(row: &Row) -> bool {
    let is_kept = matches!(
        row.reason(),
        Some(Reason::NodeNotSelected | Reason::AddressOwnedByService | Reason::AddressNotAllowed)
    );
    row.service.is_none()
        && !is_kept
        && is_metadata(row.frontend.address, row.frontend.port, row.frontend.protocol)
}

/// What decides the frontends of a policy that acts on a node.
struct Judge<'a> {
    claims: &'a Claims<'a>,
    selected: &'a Selected<'a>,
    single: Option<&'a SinglePort<'a>>,
    /// Every ready pod that is to be exempt can be told from others (L8).
    is_identified: bool,
    is_any_ready: bool,
}

impl<'a> Judge<'a> {
    /// The outcome of a frontend: of the reasons in the order of docs/semantics.md the first that holds.
    fn outcome(
        &self,
        claim: &Claim<'a>,
        unserved: &mut Vec<Claim<'a>>,
        findings: &mut Vec<Finding>,
    ) -> Outcome {
        let policy = self.claims.policy;
        if claim.owned {
            return Outcome::Original(Reason::AddressOwnedByService);
        }
        if !self.claims.allowed {
            return Outcome::Original(Reason::AddressNotAllowed);
        }
        let Some(wanted) = wanted(policy, claim, self.single) else {
            unserved.push(*claim);
            // The fallback covers only ports that the policy serves (L5).
            let reason =
                if self.is_identified { Reason::PortNotServed } else { Reason::BackendNotIdentified };
            return Outcome::Original(reason);
        };
        if !self.is_identified {
            return fallback(policy, Reason::BackendNotIdentified);
        }
        if !self.is_any_ready {
            return fallback(policy, Reason::NoReadyBackend);
        }
        let Usable { backends, at_frontend } = usable(policy, &claim.frontend, &wanted, self.selected);
        if let Some(pod) = at_frontend {
            findings
                .push(PodAtFrontend { policy, place: claim.listed, frontend: claim.frontend, pod }.found());
        } else if backends.is_empty() {
            findings.extend(holes::why(self.claims, claim, &wanted, self.selected));
        }
        if backends.is_empty() {
            fallback(policy, Reason::NoUsableBackend)
        } else {
            Outcome::Redirect(backends)
        }
    }
}

/// What L5 says of a frontend that the policy serves.
fn fallback(policy: &Policy, reason: Reason) -> Outcome {
    match policy.fallback {
        Fallback::Original => Outcome::Original(reason),
        Fallback::Drop => Outcome::Drop(reason),
    }
}
