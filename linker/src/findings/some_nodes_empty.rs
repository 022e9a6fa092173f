//! An address policy has a backend on some nodes only. A Service falls back to its pods elsewhere; behind an
//! address there may be nobody (R16, R21). Found only with a whole inventory at hand.

use lrpc_schema::image::{Matcher, Policy};

use super::{Code, Facts, Field, field};

pub(crate) struct SomeNodesEmpty<'a> {
    pub(crate) policy: &'a Policy,
    /// The nodes without a backend.
    pub(crate) empty: usize,
    /// All nodes on which the policy acts.
    pub(crate) nodes: usize,
}

impl Facts for SomeNodesEmpty<'_> {
    const CODE: Code = Code::new("some-nodes-empty");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SELECTOR
    }

    fn message(&self) -> String {
        let Self { empty, nodes, .. } = self;
        let frontend = match &self.policy.frontend {
            Matcher::Address { ip, .. } => format!("address `{ip}`"),
            Matcher::Service { name, .. } => format!("Service `{name}`"),
        };
        format!("{frontend} has no backend on {empty} of {nodes} nodes")
    }

    fn help(&self) -> String {
        "there a connection goes where it would have gone, which for an address may be nowhere; run the backend \
         on every node, restrict the policy with `lrpc.dev/nodes`, or refuse with `lrpc.dev/fallback: drop`"
            .into()
    }
}
