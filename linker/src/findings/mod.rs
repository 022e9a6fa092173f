//! What `link` finds: facts about a policy and an inventory that do not fit together.
//!
//! A finding is data, since `link` never sees text: `cli` joins its field path with a place in a manifest.
//! Each finding has a file here that makes its words out of facts, and a page in `linker/diagnostics/`.
//!
//! INVARIANT: a headline depends on the node in nothing but a pod's name, so that one finding over many
//! nodes is reported once ([`across()`]); what else differs from node to node stands in the help.

mod across;
mod field;

mod address_not_allowed;
mod address_owned_by_service;
mod backend_address_ignored;
mod backend_not_identified;
mod container_port_missing;
mod family_hole;
mod frontend_overlap;
mod name_chain_broken;
mod no_ready_pod;
mod no_selected_node;
mod port_not_served;
mod protocol_hole;
mod selector_matches_nothing;
mod self_redirect;
mod service_headless;
mod service_missing;
mod service_port_missing;
mod session_affinity;

use std::fmt::Write;

use lrpc_schema::image::{Policy, PolicyName};

pub use across::{NodeFinding, across};

pub(crate) use address_not_allowed::AddressNotAllowed;
pub(crate) use address_owned_by_service::AddressOwnedByService;
pub(crate) use backend_address_ignored::BackendAddressIgnored;
pub(crate) use backend_not_identified::BackendNotIdentified;
pub(crate) use container_port_missing::ContainerPortMissing;
pub(crate) use family_hole::FamilyHole;
pub(crate) use frontend_overlap::FrontendOverlap;
pub(crate) use name_chain_broken::{Called, NameChainBroken, NamedFrontend};
pub(crate) use no_ready_pod::NoReadyPod;
pub(crate) use no_selected_node::NoSelectedNode;
pub(crate) use port_not_served::PortNotServed;
pub(crate) use protocol_hole::ProtocolHole;
pub(crate) use selector_matches_nothing::SelectorMatchesNothing;
pub(crate) use self_redirect::SelfRedirect;
pub(crate) use service_headless::ServiceHeadless;
pub(crate) use service_missing::ServiceMissing;
pub(crate) use service_port_missing::ServicePortMissing;
pub(crate) use session_affinity::SessionAffinity;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The rows that it speaks of are not redirected as written; exit code 1.
    Error,
    /// Something is probably not meant so.
    Warning,
}

impl Severity {
    /// The severity in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Another place that a finding speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// The policy.
    pub policy: PolicyName,
    /// The field's path, as in [`Places`](lrpc_schema::image::Places).
    pub field: String,
    /// What is there, as a label.
    pub message: String,
}

/// One thing that `link` found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The policy.
    pub policy: PolicyName,
    /// The field's path, as in [`Places`](lrpc_schema::image::Places).
    pub field: String,
    /// The stable code, which names the page.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// The headline: one line that stands alone.
    pub message: String,
    /// What to do, with what this node shows; several lines where things stand side by side.
    pub help: Option<String>,
    /// Other places.
    pub related: Vec<Related>,
}

/// Facts that make a finding.
pub(crate) trait Facts {
    /// The stable code.
    const CODE: &'static str;
    /// How grave the finding is.
    const SEVERITY: Severity = Severity::Warning;

    fn policy(&self) -> &Policy;
    fn field(&self) -> String;
    fn message(&self) -> String;
    fn help(&self) -> String;
    fn related(&self) -> Vec<Related> {
        Vec::new()
    }
}

impl<F: Facts> From<F> for Finding {
    fn from(facts: F) -> Self {
        Self {
            policy: facts.policy().name.clone(),
            field: facts.field(),
            code: F::CODE,
            severity: F::SEVERITY,
            message: facts.message(),
            help: Some(facts.help()),
            related: facts.related(),
        }
    }
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
