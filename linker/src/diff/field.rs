//! One frontend under two policies: the fields that make a difference to it, and which of them break.
//!
//! Only what the frontend can feel is compared. A port that is added beside it, or a second backend port that
//! a single kind ignores (R8), changes the policy and not the frontend.

use lrpc_schema::image::{Fallback, Kind, Policy, PortSpec};

use super::breaking::Breaking;
use super::cover;
use super::frontend::FrontendName;

/// A part of a policy that a frontend feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Which policy owns it.
    Policy,
    /// Which pods serve it (R4).
    Selector,
    /// On which ports ([`targets`]).
    Ports,
    /// The address of hostNetwork pods (L15).
    Address,
    /// Whether the backends' own traffic is left alone (L8).
    Skip,
    /// What happens without a backend (L5).
    Fallback,
    /// Whose connections are redirected (L6).
    Clients,
    /// On which nodes (L7).
    Nodes,
    /// Whether it may take over a Service's address (L1).
    ShadowService,
}

/// A field that is not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delta {
    /// The field.
    pub field: Field,
    /// What the change breaks.
    pub breaking: Option<Breaking>,
}

/// The backend ports that may serve a frontend, sorted, and whether their names count (R8, R9, R15). For a
/// Service's frontends these are candidates: the inventory knows the name of the Service's port.
pub fn targets<'a>(policy: &'a Policy, frontend: FrontendName<'_>) -> Vec<&'a PortSpec> {
    let ports = policy.backend.ports.as_slice();
    let protocol = frontend.port().map(|(_, protocol)| protocol);
    let same_protocol = ports.iter().filter(|spec| protocol.is_none_or(|protocol| spec.protocol == protocol));
    let mut served: Vec<_> = match policy.kind() {
        Kind::AddressSingle | Kind::ServiceSingle => ports.iter().take(1).collect(),
        Kind::AddressNamed => {
            let is_it = |spec: &&PortSpec| Some((spec.port, spec.protocol)) == frontend.port();
            let name = policy.frontend.ports().iter().find(is_it).and_then(|spec| spec.name.as_deref());
            same_protocol.filter(|spec| spec.name.as_deref() == name).collect()
        }
        Kind::ServiceNamed | Kind::ServiceAll => same_protocol.collect(),
    };
    served.sort_unstable_by_key(|spec| (spec.port, spec.protocol, spec.name.as_deref()));
    served
}

/// Where two policies treat a frontend differently, in the order of [`Field`].
pub(super) fn deltas(frontend: FrontendName<'_>, old: &Policy, new: &Policy) -> Vec<Delta> {
    let breaks = |broken: bool, breaking| broken.then_some(breaking);
    let fields = [
        (Field::Policy, old.name != new.name, None),
        (Field::Selector, old.backend.selector != new.backend.selector, None),
        ports(frontend, old, new),
        (Field::Address, old.backend.address != new.backend.address, None),
        (Field::Skip, old.skip != new.skip, breaks(!new.skip, Breaking::SkipDropped)),
        (
            Field::Fallback,
            old.fallback != new.fallback,
            Some(match new.fallback {
                // What was closed without a backend is open.
                Fallback::Original => Breaking::CoverageShrunk,
                Fallback::Drop => Breaking::TrafficDropped,
            }),
        ),
        (
            Field::Clients,
            old.clients != new.clients || !cover::clients(old, new),
            breaks(!cover::clients(old, new), Breaking::CoverageShrunk),
        ),
        (
            Field::Nodes,
            old.nodes != new.nodes,
            breaks(!cover::nodes(old.nodes.as_ref(), new.nodes.as_ref()), Breaking::CoverageShrunk),
        ),
        (
            Field::ShadowService,
            old.shadow_service != new.shadow_service,
            breaks(!new.shadow_service, Breaking::CoverageShrunk),
        ),
    ];
    let differs = fields.into_iter().filter(|(_, differs, _)| *differs);
    differs.map(|(field, _, breaking)| Delta { field, breaking }).collect()
}

/// Ports break where one that served the frontend is gone, or none is left.
fn ports(frontend: FrontendName<'_>, old: &Policy, new: &Policy) -> (Field, bool, Option<Breaking>) {
    let names = |policy: &Policy| policy.names_count();
    let (served, serves) = (targets(old, frontend), targets(new, frontend));
    // A name that does not count on one side tells nothing apart.
    let both_named = names(old) && names(new);
    let is = |one: &PortSpec, other: &PortSpec| {
        (one.port, one.protocol) == (other.port, other.protocol) && (!both_named || one.name == other.name)
    };
    let is_gone = served.iter().any(|one| !serves.iter().any(|other| is(one, other)));
    let is_new = serves.iter().any(|other| !served.iter().any(|one| is(one, other)));
    let named_anew = names(old) != names(new);
    let breaking = match (is_gone, serves.is_empty()) {
        (true, true) => Some(Breaking::BackendsEmptied),
        (true, false) => Some(Breaking::PortChanged),
        (false, _) => None,
    };
    (Field::Ports, is_gone || is_new || named_anew, breaking)
}
