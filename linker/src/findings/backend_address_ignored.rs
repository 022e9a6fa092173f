//! A policy names a node's address for its backends and selects pods that are not in the node's network
//! (L15).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field, listed};
use crate::inventory::Pod;

pub(crate) struct BackendAddressIgnored<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) pods: &'a [&'a Pod],
}

impl Facts for BackendAddressIgnored<'_> {
    const CODE: Code = Code::new("backend-address-ignored");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::BACKEND_ADDRESS
    }

    fn message(&self) -> String {
        "a selected pod without `hostNetwork` gives no backend, since `lrpc.dev/backend-address` names an \
         address of the node"
            .into()
    }

    fn help(&self) -> String {
        let pods = listed(self.pods.iter().map(|pod| &pod.reference));
        format!("remove the annotation, or select hostNetwork pods only; without hostNetwork here: {pods}")
    }
}
