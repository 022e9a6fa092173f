//! The backend ports that may serve a frontend, looked up and not searched for: a policy may have thousands of
//! both.

use std::collections::BTreeMap;
use std::sync::Arc;

use lrpc_schema::image::{Kind, Policy, Port, PortSpec, Protocol};

use super::frontend::FrontendName;

/// Backend ports, sorted by number, protocol and name; shared by every frontend that they serve.
pub type Ports<'a> = Arc<[&'a PortSpec]>;

/// The backend ports of a policy by what its frontends can be served by (R8, R9, R15). For a Service's frontends
/// these are candidates: the inventory knows the name of the Service's port.
pub(super) struct Served<'a> {
    /// The first is empty.
    lists: Vec<Ports<'a>>,
    index: Index<'a>,
}

/// Which list serves a frontend.
enum Index<'a> {
    /// One frontend port is served by the first backend port.
    First,
    /// A port of an address has a name, and a name and protocol have ports.
    Named {
        names: BTreeMap<(Port, Protocol), Option<&'a str>>,
        lists: BTreeMap<(Protocol, Option<&'a str>), usize>,
    },
    /// A Service's port has a protocol.
    Protocol,
}

impl<'a> Served<'a> {
    pub(super) fn new(policy: &'a Policy) -> Self {
        let ports = policy.backend.ports.as_slice();
        let of = |protocol| sorted(ports.iter().filter(|spec| spec.protocol == protocol));
        let mut all = vec![sorted(std::iter::empty())];
        let index = match policy.kind() {
            Kind::AddressSingle | Kind::ServiceSingle => {
                all.push(sorted(policy.counting_backend_ports().iter()));
                Index::First
            }
            Kind::AddressNamed => {
                let mut named: BTreeMap<_, Vec<&PortSpec>> = BTreeMap::new();
                for spec in ports {
                    named.entry((spec.protocol, spec.name.as_deref())).or_default().push(spec);
                }
                let mut lists = BTreeMap::new();
                for (name, ports) in named {
                    lists.insert(name, all.len());
                    all.push(sorted(ports.into_iter()));
                }
                let frontend = policy.frontend.ports().iter();
                let names = frontend.map(|spec| ((spec.port, spec.protocol), spec.name.as_deref()));
                Index::Named { names: names.collect(), lists }
            }
            Kind::ServiceNamed | Kind::ServiceAll => {
                all.extend([of(Protocol::Tcp), of(Protocol::Udp), sorted(ports.iter())]);
                Index::Protocol
            }
        };
        Self { lists: all, index }
    }

    /// The number of the list that serves a frontend; frontends with one number are served alike.
    pub(super) fn number(&self, frontend: FrontendName<'_>) -> usize {
        match (&self.index, frontend.port()) {
            (Index::First, _) => 1,
            (Index::Named { names, lists }, Some((port, protocol))) => {
                let name = names.get(&(port, protocol)).copied().flatten();
                lists.get(&(protocol, name)).copied().unwrap_or_default()
            }
            (Index::Named { .. }, None) => 0,
            (Index::Protocol, Some((_, Protocol::Tcp))) => 1,
            (Index::Protocol, Some((_, Protocol::Udp))) => 2,
            (Index::Protocol, None) => 3,
        }
    }

    /// The list of a number.
    pub(super) fn list(&self, number: usize) -> Ports<'a> {
        self.lists.get(number).cloned().unwrap_or_else(|| sorted(std::iter::empty()))
    }
}

fn sorted<'a>(ports: impl Iterator<Item = &'a PortSpec>) -> Ports<'a> {
    let mut ports: Vec<_> = ports.collect();
    ports.sort_unstable_by_key(|spec| (spec.port, spec.protocol, spec.name.as_deref()));
    ports.into()
}
