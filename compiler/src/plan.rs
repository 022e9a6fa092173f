//! Checked policies, ready to become an image.

use std::sync::Arc;

use ipnet::IpNet;
use lrpc_schema::diagnostic::{Field, FieldOf, Spot};
use lrpc_schema::image::{self, FieldId, Image, Places, PortSpec, Stretch};

use crate::hir::{self, Frontend};
use crate::options::Options;
use crate::source::{Source, Span};

/// A checked set of policies, sorted by namespace and name. Holding one proves that no rule is broken: only
/// [`check`](crate::check()) makes it.
#[derive(Debug)]
pub struct Plan {
    policies: Vec<image::Policy>,
    allowed_addresses: Option<Vec<IpNet>>,
    written: Vec<Written>,
}

/// Where the fields of one policy were written.
#[derive(Debug)]
struct Written {
    source: Source,
    fields: Vec<(Field, Span)>,
}

impl Plan {
    /// The plan of policies in which no error was found; `None` where one of them lacks a part all the same.
    pub(crate) fn new(policies: impl Iterator<Item = hir::Policy>, options: &Options) -> Option<Self> {
        let mut both = policies.map(|policy| lower(policy, options)).collect::<Option<Vec<_>>>()?;
        both.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let (policies, written) = both.into_iter().unzip();
        Some(Self { policies, allowed_addresses: options.allowed_addresses.clone(), written })
    }

    /// The policies, sorted by namespace and name.
    pub fn policies(&self) -> &[image::Policy] {
        &self.policies
    }

    /// Where each field was written.
    pub fn places(&self) -> Places {
        let mut places = Places::default();
        // Neighbours mostly have the same fields in the same order, which spares writing their paths out.
        let mut before: Vec<(&Field, FieldId)> = Vec::new();
        for (policy, written) in self.policies.iter().zip(&self.written) {
            let mut fields = Vec::with_capacity(written.fields.len());
            for (index, (field, span)) in written.fields.iter().enumerate() {
                let known = before.get(index).filter(|(known, _)| *known == field).map(|(_, id)| *id);
                let id = known.unwrap_or_else(|| {
                    let id = places.field(&field.to_string());
                    before.truncate(index);
                    before.push((field, id));
                    id
                });
                fields.push((id, stretch(&written.source, *span)));
            }
            places.insert(policy.name.clone(), Arc::clone(written.source.name()), fields);
        }
        places
    }

    /// The place of the field of a policy, or of the nearest field around it that was written,
    /// for findings that come after the compile.
    pub fn find(&self, of: &FieldOf) -> Option<Spot> {
        let index = self.policies.binary_search_by(|candidate| candidate.name.cmp(&of.policy)).ok()?;
        let written = self.written.get(index)?;
        let mut field = of.field.clone();
        loop {
            if let Some((_, span)) = written.fields.iter().find(|(written, _)| *written == field) {
                return Some(Spot::new(&written.source, *span));
            }
            field = field.parent()?;
        }
    }
}

/// The image of a plan: canonical bytes and their digest. `strip` leaves out where fields were written.
pub fn emit(plan: &Plan, strip: bool) -> Image {
    let places = (!strip).then(|| plan.places());
    Image::seal(plan.policies.clone(), plan.allowed_addresses.clone(), places)
}

fn lower(policy: hir::Policy, options: &Options) -> Option<(image::Policy, Written)> {
    let name = policy.policy_name(options.default_namespace.as_deref())?;
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
    let lowered = image::Policy {
        name,
        frontend,
        backend,
        skip: policy.skip,
        fallback: annotations.fallback,
        clients: annotations.clients,
        nodes: annotations.nodes,
        shadow_service: annotations.shadow_service,
    };
    Some((lowered, Written { source: policy.source, fields: policy.places }))
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

fn stretch(source: &Source, span: Span) -> Stretch {
    let (start, end) = source.positions(&span.range());
    Stretch { line: start.line, column: start.column, end_line: end.line, end_column: end.column }
}
