//! A cloud's metadata address is redirected for the node's own agents too (L6): one such redirect of a CNI
//! plugin has cut a cluster off.

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field, listed};
use crate::inventory::Pod;
use crate::mapset::Frontend;

pub(crate) struct MetadataAddress<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) frontend: Frontend,
    /// The hostNetwork pods of the node that are caught.
    pub(crate) pods: &'a [&'a Pod],
}

impl Facts for MetadataAddress<'_> {
    const CODE: Code = Code::new("metadata-address");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::ADDRESS
    }

    fn message(&self) -> String {
        format!(
            "metadata address `{}` is redirected for the node's own agents too (`lrpc.dev/clients: {}`)",
            self.frontend, self.policy.clients
        )
    }

    fn help(&self) -> String {
        let caught = match self.pods {
            [] => "the kubelet and other host processes are caught".to_owned(),
            pods => format!(
                "caught are hostNetwork pods as well: {}",
                listed(pods.iter().map(|pod| &pod.reference))
            ),
        };
        format!(
            "say `lrpc.dev/clients: pods`, which leaves host processes and hostNetwork pods alone; {caught}"
        )
    }
}
