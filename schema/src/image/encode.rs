//! Policies to bytes. Total: a checked policy has no value that cannot be written.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use ipnet::IpNet;

use super::layout::{
    ALLOWED_ADDRESSES, ALLOWED_WARNINGS, CHECKSUM_SIZE, DIGEST_CONTEXT, FORMAT, HEADER_SIZE, MAGIC, PLACES,
    POLICIES, SECTION_ROW_SIZE, SEMANTIC,
};
use super::policy::{Backend, Clients, Fallback, Matcher, Policy, PortSpec};
use super::{AgentAddress, AllowedWarning, Digest, Operator, Places, PolicyName, Selector, Stretch};

/// The bytes of an image.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    /// Over the semantic sections.
    pub(super) digest: Digest,
    /// The section of the places, where there is one.
    pub(super) places_at: Option<Range<usize>>,
}

/// An image in bytes.
pub(super) fn encode(
    policies: &[Policy],
    allowed_addresses: Option<&[IpNet]>,
    places: Option<&Places>,
) -> Encoded {
    let allowed_warnings = places.map_or(&[][..], Places::allowed_warnings);
    let count = 2 + usize::from(places.is_some()) + usize::from(!allowed_warnings.is_empty());
    // The head is written last, when the lengths are known; the sections are written once, in their place.
    let mut out = Writer(vec![0; HEADER_SIZE + count * SECTION_ROW_SIZE]);
    let mut sections = Vec::with_capacity(count);
    let mut section = |out: &mut Writer, id, flags, write: &dyn Fn(&mut Writer)| {
        let start = out.0.len();
        write(out);
        sections.push((id, flags, start..out.0.len()));
    };
    section(&mut out, POLICIES, SEMANTIC, &|out| out.policies(policies));
    section(&mut out, ALLOWED_ADDRESSES, SEMANTIC, &|out| out.allowed(allowed_addresses));
    if let Some(places) = places {
        section(&mut out, PLACES, 0, &|out| out.places(places));
    }
    if !allowed_warnings.is_empty() {
        section(&mut out, ALLOWED_WARNINGS, 0, &|out| out.allowed_warnings(allowed_warnings));
    }
    let mut head = Writer(Vec::with_capacity(HEADER_SIZE));
    head.0.extend(MAGIC);
    head.u32(FORMAT);
    head.count(sections.len());
    head.u64((out.0.len() + CHECKSUM_SIZE) as u64);
    head.u64(0);
    for (id, flags, range) in &sections {
        head.u32(*id);
        head.u32(*flags);
        head.u64(range.start as u64);
        head.u64(range.len() as u64);
    }
    out.0.splice(..head.0.len(), head.0);
    let places_at = sections.iter().find(|(id, ..)| *id == PLACES).map(|(_, _, range)| range.clone());
    let semantic = sections.into_iter().filter(|(_, flags, _)| flags & SEMANTIC != 0);
    let digest = digest(semantic.map(|(id, _, range)| (id, out.0.get(range).unwrap_or_default())));
    let checksum = blake3::hash(&out.0);
    out.0.extend_from_slice(checksum.as_bytes());
    Encoded { bytes: out.0, digest, places_at }
}

/// The digest of semantic sections, in the order of the section table.
pub(super) fn digest<'a>(sections: impl Iterator<Item = (u32, &'a [u8])>) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(DIGEST_CONTEXT);
    for (id, bytes) in sections {
        hasher.update(&id.to_le_bytes());
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    Digest::new(*hasher.finalize().as_bytes())
}

/// Appends a policy as section 1 holds it.
pub(super) fn policy(policy: &Policy, out: &mut Vec<u8>) {
    let mut writer = Writer(std::mem::take(out));
    writer.policy(policy);
    *out = writer.0;
}

/// What the places of one policy take.
fn places_size(policy: &PolicyName, fields: usize) -> usize {
    3 * size_of::<u32>() + policy.namespace.len() + policy.name.len() + fields * 6 * size_of::<u32>()
}

struct Writer(Vec<u8>);

impl Writer {
    fn policies(&mut self, policies: &[Policy]) {
        self.count(policies.len());
        for policy in policies {
            self.policy(policy);
        }
    }

    fn allowed(&mut self, list: Option<&[IpNet]>) {
        self.option(list, |out, list| {
            out.count(list.len());
            for net in list {
                out.ip(net.addr());
                out.u8(net.prefix_len());
            }
        });
    }

    fn allowed_warnings(&mut self, allowed: &[AllowedWarning]) {
        self.count(allowed.len());
        for AllowedWarning { file, line, code } in allowed {
            self.text(file);
            self.u32(*line);
            self.text(code);
        }
    }

    /// File names and field paths once each, then the places that point at them.
    fn places(&mut self, places: &Places) {
        let mut files: Vec<&Arc<str>> = places.iter().map(|(_, file, _)| file).collect();
        // Of a thousand neighbours in one file, most stand side by side.
        files.dedup();
        files.sort_unstable();
        files.dedup();
        self.0
            .reserve_exact(places.iter().map(|(policy, _, fields)| places_size(policy, fields.len())).sum());
        self.count(files.len());
        for file in &files {
            self.text(file);
        }
        self.count(places.paths().len());
        for path in places.paths() {
            self.text(path);
        }
        self.count(places.iter().len());
        for (policy, file, fields) in places.iter() {
            let file = u32::try_from(files.binary_search(&file).unwrap_or_default()).unwrap_or(u32::MAX);
            self.text(&policy.namespace);
            self.text(&policy.name);
            self.count(fields.len());
            for (field, stretch) in fields {
                let Stretch { line, column, end_line, end_column } = *stretch;
                let words = [field.index(), file, line, column, end_line, end_column];
                self.0.extend_from_slice(words.map(u32::to_le_bytes).as_flattened());
            }
        }
    }

    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.0.extend(value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    /// A number of things. Manifests of more than 4 GiB are refused long before (the compiler's limits), so
    /// the saturated value is never written.
    fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(v4) => {
                self.u8(4);
                self.0.extend(v4.octets());
            }
            IpAddr::V6(v6) => {
                self.u8(6);
                self.0.extend(v6.octets());
            }
        }
    }

    fn ports(&mut self, ports: &[PortSpec]) {
        self.count(ports.len());
        for port in ports {
            self.u16(port.port.get());
            self.u8(port.protocol.number());
            self.option(port.name.as_deref(), Self::text);
        }
    }

    fn selector(&mut self, selector: &Selector) {
        self.count(selector.requirements().len());
        for requirement in selector.requirements() {
            self.text(requirement.key());
            self.u8(match requirement.operator() {
                Operator::In => 0,
                Operator::NotIn => 1,
                Operator::Exists => 2,
                Operator::DoesNotExist => 3,
            });
            self.count(requirement.values().len());
            for value in requirement.values() {
                self.text(value);
            }
        }
    }

    fn policy(&mut self, policy: &Policy) {
        self.text(&policy.name.namespace);
        self.text(&policy.name.name);
        match &policy.frontend {
            Matcher::Address { ip, ports } => {
                self.u8(0);
                self.ip(ip.get());
                self.ports(ports);
            }
            Matcher::Service { name, ports } => {
                self.u8(1);
                self.text(name);
                self.ports(ports);
            }
        }
        let Backend { selector, ports, address } = &policy.backend;
        self.selector(selector);
        self.ports(ports);
        self.option(address.map(AgentAddress::get), Self::ip);
        self.u8(u8::from(policy.skip));
        self.u8(match policy.fallback {
            Fallback::Original => 0,
            Fallback::Drop => 1,
        });
        match &policy.clients {
            Clients::All => self.u8(0),
            Clients::Pods => self.u8(1),
            Clients::AllPods => self.u8(4),
            Clients::Namespace => self.u8(2),
            Clients::Selector(selector) => {
                self.u8(3);
                self.selector(selector);
            }
        }
        self.option(policy.nodes.as_ref(), Self::selector);
        self.u8(u8::from(policy.shadow_service));
    }
}
