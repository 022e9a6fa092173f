//! What `link` finds: facts about a policy and an inventory that do not fit together.
//!
//! A finding is data, since `link` never sees text: `cli` joins its fields with places in manifests.
//! Each finding has a file here that makes its words out of facts, and a page in `linker/diagnostics/`.
//!
//! INVARIANT: a headline depends on the node in nothing but a pod's name, so that one finding over many
//! nodes is reported once ([`across()`]); what else differs from node to node stands in the help.

mod across;
pub(crate) mod field;

mod address_not_allowed;
mod address_owned_by_service;
mod backend_address_ignored;
mod backend_not_identified;
mod container_port_missing;
mod family_hole;
mod frontend_overlap;
mod internal_traffic_local;
mod metadata_address;
mod name_chain_broken;
mod no_ready_pod;
mod no_selected_node;
mod pod_at_frontend;
mod port_not_served;
mod protocol_hole;
mod selector_matches_nothing;
mod self_redirect;
mod service_headless;
mod service_missing;
mod service_port_missing;
mod service_selects_fewer;
mod session_affinity;
mod some_nodes_empty;
mod unreachable_pod;

use std::fmt::Write;

use lrpc_schema::diagnostic::{Code, Diagnostic, Field, FieldOf, Label, Severity};
use lrpc_schema::image::Policy;

pub use across::across;

pub(crate) use address_not_allowed::AddressNotAllowed;
pub(crate) use address_owned_by_service::AddressOwnedByService;
pub(crate) use backend_address_ignored::BackendAddressIgnored;
pub(crate) use backend_not_identified::BackendNotIdentified;
pub(crate) use container_port_missing::ContainerPortMissing;
pub(crate) use family_hole::FamilyHole;
pub(crate) use frontend_overlap::FrontendOverlap;
pub(crate) use internal_traffic_local::InternalTrafficLocal;
pub(crate) use metadata_address::MetadataAddress;
pub(crate) use name_chain_broken::{Called, NameChainBroken, NamedFrontend};
pub(crate) use no_ready_pod::NoReadyPod;
pub(crate) use no_selected_node::NoSelectedNode;
pub(crate) use pod_at_frontend::PodAtFrontend;
pub(crate) use port_not_served::PortNotServed;
pub(crate) use protocol_hole::ProtocolHole;
pub(crate) use selector_matches_nothing::SelectorMatchesNothing;
pub(crate) use self_redirect::SelfRedirect;
pub(crate) use service_headless::ServiceHeadless;
pub(crate) use service_missing::ServiceMissing;
pub(crate) use service_port_missing::ServicePortMissing;
pub(crate) use service_selects_fewer::ServiceSelectsFewer;
pub(crate) use session_affinity::SessionAffinity;
pub(crate) use some_nodes_empty::SomeNodesEmpty;
pub(crate) use unreachable_pod::UnreachablePod;

/// One thing that a link found, at a field.
pub type Finding = Diagnostic<FieldOf>;

/// A field of a policy, with a word on what is there.
pub(crate) type Related = Label<FieldOf>;

/// Facts that make a finding.
pub(crate) trait Facts {
    /// The stable code.
    const CODE: Code;
    /// How grave the finding is.
    const SEVERITY: Severity = Severity::Warning;

    fn policy(&self) -> &Policy;
    fn field(&self) -> Field;
    fn message(&self) -> String;
    fn help(&self) -> String;
    fn related(&self) -> Vec<Related> {
        Vec::new()
    }

    /// The finding.
    fn found(&self) -> Finding {
        Finding {
            policy: Some(self.policy().name.clone()),
            primary: Some(at(self.policy(), self.field(), String::new())),
            code: Self::CODE,
            severity: Self::SEVERITY,
            message: self.message(),
            help: Some(self.help()),
            related: self.related(),
            nodes: None,
        }
    }
}

/// A field of a policy, with a word on what is there.
pub(crate) fn at(policy: &Policy, field: Field, message: impl Into<String>) -> Related {
    Label { at: FieldOf { policy: policy.name.clone(), field }, message: message.into() }
}

/// How many names of a long list a help line shows.
const SHOWN: usize = 3;

/// Things in backticks, separated by commas; a long list ends in the number of the rest.
pub(crate) fn listed<T: std::fmt::Display>(things: impl ExactSizeIterator<Item = T>) -> String {
    let rest = things.len().saturating_sub(SHOWN);
    let mut text = String::new();
    for thing in things.take(SHOWN) {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}`{thing}`");
    }
    if rest > 0 {
        let _ = write!(text, " and {rest} more");
    }
    text
}
