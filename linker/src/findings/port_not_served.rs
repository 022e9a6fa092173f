//! An all-ports policy has no backend port for some ports of its Service (L4, R18).

use lrpc_schema::image::Policy;

use super::{Code, Facts, Field, field, listed};
use crate::link::Claim;
use crate::mapset::ServiceName;

pub(crate) struct PortNotServed<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) service: &'a ServiceName,
    /// The frontends that are not served, once for each address.
    pub(crate) ports: &'a [Claim<'a>],
}

impl Facts for PortNotServed<'_> {
    const CODE: Code = Code::new("port-not-served");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        field::SERVICE
    }

    fn message(&self) -> String {
        format!("the policy has no backend port for some ports of Service `{}`", self.service)
    }

    fn help(&self) -> String {
        let mut ports: Vec<_> = self
            .ports
            .iter()
            .map(|claim| (claim.frontend.port, claim.frontend.protocol, claim.port.name()))
            .collect();
        ports.sort_unstable();
        ports.dedup();
        let stay = if ports.len() == 1 { "stays" } else { "stay" };
        let ports = listed(ports.into_iter().map(|(port, protocol, name)| match name {
            Some(name) => format!("{port}/{protocol} ({name})"),
            None => format!("{port}/{protocol}"),
        }));
        format!(
            "{ports} {stay} with the Service's own pods; list the meant ports in `serviceMatcher.toPorts`, or \
                 give each Service port a backend port of its name and protocol"
        )
    }
}
