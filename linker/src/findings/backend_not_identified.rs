//! A pod must be exempt from its own redirect and has no UID to find it by (L8).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, Severity, field};
use crate::mapset::PodRef;

pub(crate) struct BackendNotIdentified<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) pod: &'a PodRef,
}

impl Facts for BackendNotIdentified<'_> {
    const CODE: Code = Code::new("backend-not-identified");
    const SEVERITY: Severity = Severity::Error;

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SKIP
    }

    fn message(&self) -> String {
        format!("pod `{}` has no UID, so its own traffic cannot be exempt", self.pod)
    }

    fn help(&self) -> String {
        "no frontend of the policy is redirected on its node; give an inventory that keeps `metadata.uid`, as \
         `kubectl get pods -o yaml` prints it"
            .into()
    }
}
