//! A cloud's metadata address is redirected for the node's own agents too (L6): one such redirect of a CNI
//! plugin has cut a cluster off.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lrpc_schema::image::{Policy, Protocol};

use super::{Code, Facts, Field, field, listed};
use crate::inventory::Pod;
use crate::mapset::Frontend;

/// Instance metadata of most clouds; at ports 53 and 123 it is the name and time server of one of them.
const INSTANCE: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));
/// The same over IPv6, as AWS has it.
const INSTANCE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254));
/// Credentials of containers.
const CONTAINER: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2));

pub(crate) struct MetadataAddress<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) frontend: Frontend,
    /// The hostNetwork pods of the node that are caught.
    pub(crate) pods: &'a [&'a Pod],
}

impl MetadataAddress<'_> {
    /// Whether a cloud answers there. At another port of such an address nobody does, and nothing is taken
    /// from anyone.
    pub(crate) fn concerns(frontend: &Frontend) -> bool {
        matches!(
            (frontend.address, frontend.port.get(), frontend.protocol),
            (INSTANCE | INSTANCE_V6 | CONTAINER, 80, Protocol::Tcp)
                | (INSTANCE, 53, _)
                | (INSTANCE, 123, Protocol::Udp)
        )
    }
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
