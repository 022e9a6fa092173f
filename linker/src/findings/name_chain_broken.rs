//! The names on the way of a connection do not meet: frontend port, policy's backend port, container port
//! (R9, R15).

use lrpc_schema::image::{Policy, Port, PortSpec, Protocol};

use super::container_port_missing::{Declared, declared};
use super::{Code, Facts, Field, field};
use crate::inventory::Pod;
use crate::mapset::ServiceName;

pub(crate) struct NameChainBroken<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) frontend: NamedFrontend<'a>,
    /// The backend port that has the name, or the one that was probably meant.
    pub(crate) backend: Option<&'a PortSpec>,
    pub(crate) called: Called<'a>,
}

/// The frontend's end of the chain.
pub(crate) struct NamedFrontend<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) port: Port,
    pub(crate) protocol: Protocol,
    /// The Service whose port it is; `None` where it is the policy's own.
    pub(crate) service: Option<&'a ServiceName>,
}

/// Where the chain is broken.
pub(crate) enum Called<'a> {
    /// No backend port has the frontend's name; `pod` is a ready one.
    Backend { pod: &'a Pod },
    /// No ready pod calls the port as the backend port `place` (or the Service's targetPort) does; `pod`
    /// has it under another name, or none.
    Container { place: usize, wanted: Option<&'a str>, pod: &'a Pod },
}

impl Facts for NameChainBroken<'_> {
    const CODE: Code = Code::new("name-chain-broken");

    fn policy(&self) -> &Policy {
        self.policy
    }

    fn field(&self) -> Field {
        match self.called {
            Called::Backend { .. } => field::BACKEND_PORTS,
            Called::Container { place, .. } => field::backend_name(place),
        }
    }

    fn message(&self) -> String {
        let NamedFrontend { name, port, protocol, service } = &self.frontend;
        let of = service.map_or(String::new(), |service| format!(" of Service `{service}`"));
        match (&self.called, name) {
            (Called::Backend { .. }, Some(name)) => {
                format!("no backend port is named `{name}`, as port {port}/{protocol}{of} is")
            }
            (Called::Backend { .. }, None) => {
                format!("port {port}/{protocol}{of} has no name by which to choose a backend port")
            }
            (Called::Container { wanted, .. }, _) => {
                let backend =
                    self.backend.map_or(String::new(), |spec| format!("{}/{}", spec.port, spec.protocol));
                format!("no ready pod names its port {backend} `{}`", wanted.unwrap_or_default())
            }
        }
    }

    fn help(&self) -> String {
        let NamedFrontend { name, port, protocol, service } = &self.frontend;
        let frontend = if service.is_some() { "Service port:  " } else { "frontend port: " };
        let backend = self.backend.map_or("none".into(), |spec| format!("`{spec}`"));
        let (Called::Backend { pod } | Called::Container { pod, .. }) = self.called;
        let container = self.backend.and_then(|spec| declared(pod, spec));
        let container = container.map_or("none".into(), |port| format!("`{}`", Declared(port)));
        format!(
            "one name must run through all three:\n  {frontend} `{port}/{protocol} ({})`\n  backend port:   \
             {backend}\n  container port: {container} in pod `{}`",
            name.unwrap_or("no name"),
            pod.reference,
        )
    }
}
