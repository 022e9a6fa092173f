//! A policy acts on a node that has no pod of its selector (R4, R16).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field};

pub(crate) struct SelectorMatchesNothing<'a> {
    pub(crate) policy: &'a Policy,
    /// The inventory has no pod at all: it was dumped without them.
    pub(crate) has_none: bool,
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
        if self.has_none {
            return "the inventory has no pod at all; dump it with `kubectl get pods,services,nodes,namespaces -A -o \
                    yaml`"
                .into();
        }
        "backends are pods of the policy's own namespace on the same node; compare the selector with \
         `kubectl get pods --show-labels`"
            .into()
    }
}
