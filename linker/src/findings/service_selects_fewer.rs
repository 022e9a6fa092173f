//! A redirect reaches pods that its Service leaves out on purpose: a replica behind the Service of the primary.

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field, listed};
use crate::inventory::{Pod, Service};

pub(crate) struct ServiceSelectsFewer<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) service: &'a Service,
    /// The pods of all nodes that the policy selects and the Service does not.
    pub(crate) pods: &'a [&'a Pod],
}

impl Facts for ServiceSelectsFewer<'_> {
    const CODE: Code = Code::new("service-selects-fewer");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SELECTOR
    }

    fn message(&self) -> String {
        format!("the redirect reaches pods that Service `{}` leaves out", self.service.name)
    }

    fn help(&self) -> String {
        let labels: Vec<_> =
            self.service.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!(
            "not behind the Service: {}; add its labels to the selector (`{}`) if only its own pods are meant",
            listed(self.pods.iter().map(|pod| &pod.reference)),
            labels.join(",")
        )
    }
}
