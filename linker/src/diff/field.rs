//! One frontend under two policies: the fields that make a difference to it, and which of them break.
//!
//! Only what the frontend can feel is compared. A port that is added beside it, or a second backend port that
//! a single kind ignores (R8), changes the policy and not the frontend.

use std::collections::BTreeSet;

use lrpc_schema::image::{Fallback, Policy, PortSpec};

use super::breaking::Breaking;
use super::cover;

/// A part of a policy that a frontend feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Which policy owns it.
    Policy,
    /// Which pods serve it (R4).
    Selector,
    /// On which ports ([`Ports`](super::Ports)).
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

/// Where two policies treat every frontend differently, in the order of [`Field`]; the ports are for
/// [`ports`] to say.
pub(super) fn deltas(old: &Policy, new: &Policy) -> Vec<Delta> {
    let breaks = |broken: bool, breaking| broken.then_some(breaking);
    let fields = [
        (Field::Policy, old.name != new.name, None),
        (Field::Selector, old.backend.selector != new.backend.selector, None),
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

/// Whether other ports serve a frontend; that breaks where one that served it is gone, or none is left.
pub(super) fn ports(old: &Policy, served: &[&PortSpec], new: &Policy, serves: &[&PortSpec]) -> Option<Delta> {
    let (old_named, new_named) = (old.do_names_count(), new.do_names_count());
    // A name that does not count on one side tells nothing apart.
    let both_named = old_named && new_named;
    let told = |list: &[&'_ PortSpec]| -> BTreeSet<_> {
        list.iter().map(|spec| (spec.port, spec.protocol, spec.name.clone().filter(|_| both_named))).collect()
    };
    let (served, serves) = (told(served), told(serves));
    let breaking = match (served.is_subset(&serves), serves.is_empty()) {
        (false, true) => Some(Breaking::BackendsEmptied),
        (false, false) => Some(Breaking::PortChanged),
        (true, _) => None,
    };
    let differs = served != serves || old_named != new_named;
    differs.then_some(Delta { field: Field::Ports, breaking })
}
