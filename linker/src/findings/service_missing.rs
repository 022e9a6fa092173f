//! A service policy names a Service that is not there (R13).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field};
use crate::mapset::ServiceName;

pub(crate) struct ServiceMissing<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) service: &'a str,
    /// A Service of this name in another namespace.
    pub(crate) elsewhere: Option<&'a ServiceName>,
    /// The inventory has no Service at all: it was dumped without them.
    pub(crate) has_none: bool,
}

impl Facts for ServiceMissing<'_> {
    const CODE: Code = Code::new("service-missing");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SERVICE
    }

    fn message(&self) -> String {
        format!("there is no Service `{}/{}`", self.policy.name.namespace, self.service)
    }

    fn help(&self) -> String {
        match self.elsewhere {
            Some(service) => {
                format!("a policy redirects Services of its own namespace; there is `{service}`")
            }
            None if self.has_none => "the inventory has no Service at all; dump it with `kubectl get \
                                      pods,services,nodes,namespaces -A -o yaml`"
                .into(),
            None => "nothing is redirected until there is one".into(),
        }
    }
}
