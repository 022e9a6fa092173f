//! The Service behind a policy drops where it has no pod on the client's node, so that `fallback: original`
//! drops too (L5, R16).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field};
use crate::mapset::ServiceName;

pub(crate) struct InternalTrafficLocal<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) service: &'a ServiceName,
}

impl Facts for InternalTrafficLocal<'_> {
    const CODE: Code = Code::new("internal-traffic-local");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SERVICE
    }

    fn message(&self) -> String {
        format!(
            "Service `{}` drops on a node without a pod of its own, so falling back to it may drop",
            self.service
        )
    }

    fn help(&self) -> String {
        "its `internalTrafficPolicy` is `Local`: set it to `Cluster`, so that a node without a backend uses the \
         Service's other pods, or say `lrpc.dev/fallback: drop` if refusing is meant"
            .into()
    }
}
