//! The findings of many nodes, each reported once.

use std::collections::{BTreeMap, BTreeSet};

use lrpc_schema::diagnostic::{Code, Nodes};
use lrpc_schema::image::{Fallback, Matcher, Policy, PolicyName};

use super::{
    ContainerPortMissing, Facts, FamilyHole, Finding, NameChainBroken, NoReadyPod, NoSelectedNode,
    ProtocolHole, SelectorMatchesNothing, SomeNodesEmpty,
};
use crate::link::Linker;

/// How many nodes a merged finding names.
const NAMED: usize = 10;

/// Merges the findings of every Node of the linker's inventory, given as (node, findings).
///
/// Findings are one where policy, field, code and headline are equal. Two say that a policy has no backend,
/// "no ready pod" and "selector matches nothing", and both are left out unless one of them holds on every node
/// on which the policy acts: a node without the pod is what the fallback is for (R16). Then the first is told
/// where there is such a pod, else the second. An address policy that has no backend on some nodes is a finding
/// of its own, since an address has no other pods to go to; and so is a policy that acts on no Node at all (L7),
/// which names none. Sorted as the findings of one node are; each has the help of the first node.
pub fn across(linker: &Linker<'_>, nodes: impl IntoIterator<Item = (String, Vec<Finding>)>) -> Vec<Finding> {
    let mut merged: BTreeMap<_, (Finding, Vec<String>)> = BTreeMap::new();
    let mut idle: BTreeMap<Option<PolicyName>, Idle> = BTreeMap::new();
    let mut sorted: Vec<_> = nodes.into_iter().collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (node, findings) in sorted {
        for finding in findings {
            if is_idle(finding.code) {
                let idle = idle.entry(finding.policy.clone()).or_default();
                idle.nodes.push(node.clone());
                idle.has_pods |= finding.code == NoReadyPod::CODE;
            }
            let (_, nodes) = merged.entry(key(&finding)).or_insert_with(|| (finding, Vec::new()));
            if nodes.last() != Some(&node) {
                nodes.push(node.clone());
            }
        }
    }
    // Where ready pods serve nothing either, their finding comes first.
    let broken: BTreeSet<_> = merged
        .values()
        .filter(|(finding, _)| is_hole(finding.code))
        .filter_map(|(finding, _)| finding.policy.clone())
        .collect();
    // A Service's other pods are the net of a service policy; an address has none (R16).
    for (name, idle) in &idle {
        let Some(policy) = name.as_ref().and_then(|name| linker.policy(name)) else { continue };
        let (empty, nodes) = (idle.nodes.len(), linker.node_count(&policy.name));
        let is_sound = !broken.contains(&policy.name);
        if empty < nodes && is_sound && has_no_net(policy) {
            let finding = SomeNodesEmpty { policy, empty, nodes }.found();
            merged.insert(key(&finding), (finding, idle.nodes.clone()));
        }
    }
    let unselected = linker.unselected().map(|policy| {
        let finding = NoSelectedNode { policy }.found();
        (key(&finding), (finding, Vec::new()))
    });
    merged.extend(unselected.collect::<Vec<_>>());
    let is_told = |(finding, _): &(Finding, Vec<String>)| match idle.get(&finding.policy) {
        Some(idle) if is_idle(finding.code) => {
            finding.policy.as_ref().is_some_and(|policy| idle.nodes.len() == linker.node_count(policy))
                && idle.has_pods == (finding.code == NoReadyPod::CODE)
        }
        Some(_) | None => true,
    };
    let shorten = |(finding, mut nodes): (Finding, Vec<String>)| {
        let count = nodes.len();
        nodes.truncate(NAMED);
        Finding { nodes: (count > 0).then_some(Nodes { names: nodes, count }), ..finding }
    };
    merged.into_values().filter(is_told).map(shorten).collect()
}

/// The nodes on which a policy has no backend.
#[derive(Default)]
struct Idle {
    nodes: Vec<String>,
    /// Some of them have pods that are not ready.
    has_pods: bool,
}

/// What is equal where two findings are one.
fn key(finding: &Finding) -> impl Ord + use<> {
    (finding.policy.clone(), finding.primary.clone(), finding.code, finding.message.clone())
}

/// Without a backend its traffic goes to an address that may be nobody's, and nothing says that this is meant.
fn has_no_net(policy: &Policy) -> bool {
    matches!(policy.frontend, Matcher::Address { .. }) && policy.fallback == Fallback::Original
}

/// It says why ready pods serve nothing.
fn is_hole(code: Code) -> bool {
    [ContainerPortMissing::CODE, FamilyHole::CODE, NameChainBroken::CODE, ProtocolHole::CODE].contains(&code)
}

fn is_idle(code: Code) -> bool {
    [NoReadyPod::CODE, SelectorMatchesNothing::CODE].contains(&code)
}
