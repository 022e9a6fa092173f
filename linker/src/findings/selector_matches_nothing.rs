//! A policy acts on a node that has no pod of its selector (R4, R16).

use std::collections::BTreeSet;

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field, listed};
use crate::inventory::Inventory;

pub(crate) struct SelectorMatchesNothing<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) inventory: &'a Inventory,
}

impl SelectorMatchesNothing<'_> {
    /// The nodes of pods that are selected, where the inventory lacks them.
    fn lacking(&self) -> BTreeSet<&str> {
        let Policy { name, backend, .. } = self.policy;
        let selected = self.inventory.pods_matching(&name.namespace, &backend.selector);
        let nodes = selected.filter_map(|pod| pod.node.as_deref());
        nodes.filter(|node| self.inventory.node(node).is_none()).collect()
    }
}

impl Facts for SelectorMatchesNothing<'_> {
    const CODE: Code = Code::new("selector-matches-nothing");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SELECTOR
    }

    fn message(&self) -> String {
        let Policy { name, backend, .. } = self.policy;
        match backend.selector.is_empty() {
            true => format!("there is no local pod in namespace `{}`", name.namespace),
            false => format!(
                "selector `{}` matches no local pod in namespace `{}`",
                backend.selector, name.namespace
            ),
        }
    }

    fn help(&self) -> String {
        if self.inventory.pods().len() == 0 {
            return "the inventory has no pod at all; dump it with `kubectl get pods,services,nodes,namespaces -A -o \
                    yaml`"
                .into();
        }
        let lacking = self.lacking();
        if !lacking.is_empty() {
            return format!(
                "selected pods are on nodes that the inventory does not have: {}; dump every Node",
                listed(lacking.into_iter())
            );
        }
        "backends are pods of the policy's own namespace on the same node; compare the selector with \
         `kubectl get pods --show-labels`"
            .into()
    }
}
