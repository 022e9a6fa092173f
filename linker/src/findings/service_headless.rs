//! A service policy names a Service that has no ClusterIP frontend (R13).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field};
use crate::inventory::Hidden;
use crate::mapset::ServiceName;

pub(crate) struct ServiceHeadless<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) service: &'a ServiceName,
    pub(crate) why: Hidden,
}

impl Facts for ServiceHeadless<'_> {
    const CODE: Code = Code::new("service-headless");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SERVICE
    }

    fn message(&self) -> String {
        format!("Service `{}` has no cluster address to redirect", self.service)
    }

    fn help(&self) -> String {
        format!("{}; only ClusterIP frontends are redirected", self.why.as_str())
    }
}
