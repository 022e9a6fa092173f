//! The findings of many nodes, each reported once.

use std::collections::BTreeMap;

use lrpc_schema::diagnostic::{Code, Nodes};
use lrpc_schema::image::PolicyName;

use super::{Facts, Finding, NoReadyPod, NoSelectedNode, SelectorMatchesNothing};
use crate::link::Linker;

/// How many nodes a merged finding names.
const NAMED: usize = 10;

/// Merges the findings of every Node of the linker's inventory, given as (node, findings).
///
/// Findings are one where policy, field, code and headline are equal. Two say that a policy has no backend,
/// "no ready pod" and "selector matches nothing", and both are left out unless one of them holds on every node
/// on which the policy acts: a node without the pod is what the fallback is for (R16). Then the first is told
/// where there is such a pod, else the second. A policy that acts on no Node at all is a finding of its own
/// (L7), and names none. Sorted as the findings of one node are; each has the help of the first node.
pub fn across(linker: &Linker<'_>, nodes: impl IntoIterator<Item = (String, Vec<Finding>)>) -> Vec<Finding> {
    let mut merged: BTreeMap<_, (Finding, Vec<String>)> = BTreeMap::new();
    let mut idle: BTreeMap<Option<PolicyName>, Idle> = BTreeMap::new();
    let mut sorted: Vec<_> = nodes.into_iter().collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (node, findings) in sorted {
        for finding in findings {
            if is_idle(finding.code) {
                let idle = idle.entry(finding.policy.clone()).or_default();
                idle.nodes += 1;
                idle.has_pods |= finding.code == NoReadyPod::CODE;
            }
            let (_, nodes) = merged.entry(key(&finding)).or_insert_with(|| (finding, Vec::new()));
            if nodes.last() != Some(&node) {
                nodes.push(node.clone());
            }
        }
    }
    let unselected = linker.unselected().map(|policy| {
        let finding = NoSelectedNode { policy }.found();
        (key(&finding), (finding, Vec::new()))
    });
    merged.extend(unselected.collect::<Vec<_>>());
    let is_told = |(finding, _): &(Finding, Vec<String>)| match idle.get(&finding.policy) {
        Some(idle) if is_idle(finding.code) => {
            finding.policy.as_ref().is_some_and(|policy| idle.nodes == linker.node_count(policy))
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
    nodes: usize,
    /// Some of them have pods that are not ready.
    has_pods: bool,
}

/// What is equal where two findings are one.
fn key(finding: &Finding) -> impl Ord + use<> {
    (finding.policy.clone(), finding.primary.clone(), finding.code, finding.message.clone())
}

fn is_idle(code: Code) -> bool {
    [NoReadyPod::CODE, SelectorMatchesNothing::CODE].contains(&code)
}
