//! Ready pods serve a frontend's port, but have no address of its family (R12, R17).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field, listed};
use crate::inventory::Pod;
use crate::mapset::Frontend;

pub(crate) struct FamilyHole<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) frontend: Frontend,
    /// A ready pod with the port.
    pub(crate) pod: &'a Pod,
}

impl Facts for FamilyHole<'_> {
    const CODE: Code = Code::new("family-hole");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::frontend(self.policy, None)
    }

    fn message(&self) -> String {
        let (address, family) = (self.frontend.address, self.family());
        format!("no ready pod has an {family} address for frontend address `{address}`")
    }

    fn help(&self) -> String {
        let pod = &self.pod.reference;
        match &self.policy.backend.address {
            Some(address) => {
                format!("`lrpc.dev/backend-address` is `{address}`, which cannot serve this family")
            }
            None if self.pod.addresses.is_empty() => format!("pod `{pod}` has no address at all"),
            None => format!("pod `{pod}` has {}", listed(self.pod.addresses.iter())),
        }
    }
}

impl FamilyHole<'_> {
    fn family(&self) -> &'static str {
        if self.frontend.address.is_ipv4() { "IPv4" } else { "IPv6" }
    }
}
