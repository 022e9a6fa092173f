//! An address policy would take a frontend away from a Service (L1).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, Severity, field};
use crate::inventory::Owner;
use crate::mapset::Frontend;

pub(crate) struct AddressOwnedByService<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) place: Option<usize>,
    pub(crate) frontend: Frontend,
    pub(crate) owner: Owner<'a>,
}

impl Facts for AddressOwnedByService<'_> {
    const CODE: Code = Code::new("address-owned-by-service");
    const SEVERITY: Severity = Severity::Error;

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::frontend(self.policy, self.place)
    }

    fn message(&self) -> String {
        let Self { frontend, owner, .. } = self;
        format!("frontend `{frontend}` is {} of Service `{}`", owner.ownership.as_str(), owner.service)
    }

    fn help(&self) -> String {
        "redirect the Service with a `serviceMatcher`, or take its address over with the annotation \
         `lrpc.dev/shadow-service: \"true\"`"
            .into()
    }
}
