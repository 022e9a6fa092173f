//! One policy on one node: its rows, each with the first reason that holds, and what is found there.

use std::sync::Arc;

use lrpc_schema::image::{Clients, Fallback, Policy};

use super::backends::{Usable, usable};
use super::claims::{Claim, Claims};
use super::selected::{Selected, client_pods};
use super::served::{SinglePort, wanted};
use super::{acts_on, holes};
use crate::findings::{
    AddressNotAllowed, BackendAddressIgnored, BackendNotIdentified, Facts, Finding, NoReadyPod,
    PodAtFrontend, PortNotServed, SelectorMatchesNothing, SelfRedirect, SessionAffinity, UnreachablePod,
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
    about_pods(claims, &selected, findings);

    let single = claims.service.and_then(|service| SinglePort::new(policy, service, &selected));
    let judge = Judge { claims, selected: &selected, single: single.as_ref() };
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
        findings.push(PortNotServed { policy, service: &service.name, ports: &unserved }.found());
    }
    about_redirects(claims, &selected, rows.get(first..).unwrap_or_default(), findings);
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
fn about_pods(claims: &Claims<'_>, selected: &Selected<'_>, findings: &mut Vec<Finding>) {
    let policy = claims.policy;
    if !claims.allowed {
        findings.push(AddressNotAllowed { policy }.found());
    }
    findings.extend(
        selected.unidentified().map(|pod| BackendNotIdentified { policy, pod: &pod.reference }.found()),
    );
    let pods: Vec<_> = selected.iter().collect();
    let finished = selected.finished();
    if pods.is_empty() && finished.is_empty() {
        findings.push(SelectorMatchesNothing { policy }.found());
    } else if selected.ready().next().is_none() {
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
    let is_client = |backend: &PodRef| {
        let pod = selected.iter().find(|pod| pod.reference == *backend);
        match &policy.clients {
            Clients::All | Clients::AllPods | Clients::Namespace => true,
            Clients::Pods => pod.is_some_and(|pod| !pod.host_network),
            Clients::Selector(selector) => pod.is_some_and(|pod| selector.matches(&pod.labels)),
        }
    };
    let to_itself = |row: &&Row| row.backends().iter().flat_map(|backend| &backend.pods).any(is_client);
    if !policy.skip
        && let Some(row) = rows.iter().find(to_itself)
    {
        findings.push(SelfRedirect { policy, frontend: row.frontend }.found());
    }
    if let Some(service) = claims.service.filter(|service| service.client_affinity)
        && rows.iter().any(|row| row.backends().len() > 1)
    {
        findings.push(SessionAffinity { policy, service: &service.name }.found());
    }
}

/// What decides the frontends of a policy that acts on a node.
struct Judge<'a> {
    claims: &'a Claims<'a>,
    selected: &'a Selected<'a>,
    single: Option<&'a SinglePort<'a>>,
}

impl<'a> Judge<'a> {
    /// The outcome of a frontend: CONTRACT's reasons in their order, the first that holds.
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
        let identified = self.selected.unidentified().next().is_none();
        let Some(wanted) = wanted(policy, claim, self.single) else {
            unserved.push(*claim);
            // The fallback covers only ports that the policy serves (L5).
            let reason = if identified { Reason::PortNotServed } else { Reason::BackendNotIdentified };
            return Outcome::Original(reason);
        };
        if !identified {
            return fallback(policy, Reason::BackendNotIdentified);
        }
        if self.selected.ready().next().is_none() {
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
