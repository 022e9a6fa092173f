//! A redirected Service keeps a client with one pod, which a redirect does not (L20).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field};
use crate::mapset::ServiceName;

pub(crate) struct SessionAffinity<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) service: &'a ServiceName,
}

impl Facts for SessionAffinity<'_> {
    const CODE: Code = Code::new("session-affinity");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SERVICE
    }

    fn message(&self) -> String {
        format!("`sessionAffinity: ClientIP` of Service `{}` is not kept", self.service)
    }

    fn help(&self) -> String {
        "a node has several backends, and each connection may go to another; keep one backend a node, or do \
         without the affinity"
            .into()
    }
}
