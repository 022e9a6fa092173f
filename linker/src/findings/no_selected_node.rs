//! The nodes that a policy selects are not there (L7). Found only with a whole inventory at hand.

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field};

pub(crate) struct NoSelectedNode<'a> {
    pub(crate) policy: &'a Policy,
}

impl Facts for NoSelectedNode<'_> {
    const CODE: Code = Code::new("no-selected-node");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::NODES
    }

    fn message(&self) -> String {
        let selector = self.policy.nodes.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("selector `{selector}` matches no Node")
    }

    fn help(&self) -> String {
        "the policy acts nowhere; compare the selector with `kubectl get nodes --show-labels`".into()
    }
}
