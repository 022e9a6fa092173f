//! The findings of many nodes, each reported once.

use std::collections::BTreeMap;

use super::{Facts, Finding, NoReadyPod, SelectorMatchesNothing};
use crate::link::Linker;

/// How many nodes a merged finding names.
const NAMED: usize = 10;

/// One finding with the nodes on which it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFinding {
    /// The finding, with the help of the first node.
    pub finding: Finding,
    /// The first nodes by name, at most 10.
    pub nodes: Vec<String>,
    /// Number of nodes.
    pub node_count: usize,
}

/// Merges the findings of every Node of the linker's inventory, given as (node, findings).
///
/// Findings are one where policy, field, code and headline are equal. "No ready pod" and "selector matches
/// nothing" are left out unless they hold on every node on which the policy acts: a node without the pod is
/// what the fallback is for (R16). Sorted as the findings of one node are.
pub fn across(
    linker: &Linker<'_>,
    nodes: impl IntoIterator<Item = (String, Vec<Finding>)>,
) -> Vec<NodeFinding> {
    let mut merged: BTreeMap<_, (Finding, Vec<String>)> = BTreeMap::new();
    let mut sorted: Vec<_> = nodes.into_iter().collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (node, findings) in sorted {
        for finding in findings {
            let key = (finding.policy.clone(), finding.field.clone(), finding.code, finding.message.clone());
            let (_, nodes) = merged.entry(key).or_insert_with(|| (finding, Vec::new()));
            if nodes.last() != Some(&node) {
                nodes.push(node.clone());
            }
        }
    }
    let everywhere = |(finding, nodes): &(Finding, Vec<String>)| {
        ![NoReadyPod::CODE, SelectorMatchesNothing::CODE].contains(&finding.code)
            || nodes.len() == linker.node_count(&finding.policy)
    };
    let shorten = |(finding, mut nodes): (Finding, Vec<String>)| {
        let node_count = nodes.len();
        nodes.truncate(NAMED);
        NodeFinding { finding, nodes, node_count }
    };
    merged.into_values().filter(everywhere).map(shorten).collect()
}
