//! Checked policies, ready to become an image.

use std::sync::Arc;

use ipnet::IpNet;
use lrpc_schema::image::{self, AllowedWarning, FilePlaces, Image, Places, PortSpec};

use crate::hir::{self, Frontend};
use crate::options::Options;
use crate::source::Source;
use crate::syntax::allow::Allow;

/// A checked set of policies, sorted by namespace and name. Holding one proves that no rule is broken: only
/// [`check`](crate::check()) makes it.
#[derive(Debug)]
pub struct Plan {
    policies: Arc<Vec<image::Policy>>,
    allowed_addresses: Option<Vec<IpNet>>,
    places: Places,
}

impl Plan {
    /// The plan of files in which no error was found; `None` where a policy lacks a part all the same.
    pub(crate) fn new(
        files: impl Iterator<Item = (Vec<hir::Policy>, FilePlaces)>,
        allows: &[(Source, Vec<Allow>)],
        options: &Options,
    ) -> Option<Self> {
        let (mut policies, mut places, mut written) = (Vec::new(), Vec::new(), Vec::new());
        for (file, (its_policies, its_places)) in files.enumerate() {
            policies.reserve(its_policies.len());
            for policy in its_policies {
                let place = policy.place;
                let policy = lower(policy, options)?;
                written.push((policy.name.clone(), file, place));
                policies.push(policy);
            }
            places.push(its_places);
        }
        policies.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Some(Self {
            policies: Arc::new(policies),
            allowed_addresses: options.allowed_addresses.clone(),
            places: Places::new(places, written).allowing(allowed(allows)),
        })
    }

    /// The policies, sorted by namespace and name.
    pub fn policies(&self) -> &[image::Policy] {
        &self.policies
    }

    /// Where each field was written; files have the order in which they were checked.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }
}

/// The warnings that comments allow, as an image keeps them.
fn allowed(allows: &[(Source, Vec<Allow>)]) -> Vec<AllowedWarning> {
    let of_file = |(source, allows): &(Source, Vec<Allow>)| {
        let file = source.name().clone();
        let allowed = move |Allow { code, line, .. }: &Allow| AllowedWarning {
            file: file.clone(),
            line: *line,
            code: code.clone(),
        };
        allows.iter().map(allowed).collect::<Vec<_>>()
    };
    allows.iter().flat_map(of_file).collect()
}

/// The image of a plan: canonical bytes and their digest. `strip` leaves out where fields were written.
pub fn emit(plan: &Plan, strip: bool) -> Image {
    let places = (!strip).then_some(&plan.places);
    Image::seal(Arc::clone(&plan.policies), plan.allowed_addresses.as_deref(), places)
}

fn lower(policy: hir::Policy, options: &Options) -> Option<image::Policy> {
    let name = policy.policy_name(options.default_namespace.as_ref())?;
    let frontend = match policy.frontend? {
        Frontend::Address { ip, ports } => {
            image::Matcher::Address { ip: ip?.value, ports: self::ports(ports)? }
        }
        Frontend::Service { name, ports, .. } => {
            image::Matcher::Service { name: name?.value, ports: self::ports(ports)? }
        }
    };
    let annotations = policy.annotations;
    let backend = image::Backend {
        selector: policy.backend.selector?.value,
        ports: ports(policy.backend.ports)?,
        address: annotations.backend_address.map(|address| address.value),
    };
    Some(image::Policy {
        name,
        frontend,
        backend,
        skip: policy.skip,
        fallback: annotations.fallback,
        clients: annotations.clients,
        nodes: annotations.nodes,
        shadow_service: annotations.shadow_service,
    })
}

fn ports(ports: hir::Ports) -> Option<Vec<PortSpec>> {
    let port = |info: hir::PortInfo| {
        let name = match info.name {
            hir::PortName::Written(name) => Some(name.value),
            hir::PortName::Absent | hir::PortName::Wrong => None,
        };
        Some(PortSpec { port: info.port?.value, protocol: info.protocol?.value, name })
    };
    ports.list.into_iter().map(port).collect()
}
