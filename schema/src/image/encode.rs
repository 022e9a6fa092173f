//! Policies to bytes. Total: a checked policy has no value that cannot be written.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::layout::{
    ALLOWED_ADDRESSES, CHECKSUM_SIZE, DIGEST_CONTEXT, FORMAT, HEADER_SIZE, MAGIC, PLACES, POLICIES,
    SECTION_ROW_SIZE, SEMANTIC,
};
use super::policy::{Backend, Clients, Fallback, Matcher, Policy, PortSpec};
use super::{Digest, Operator, Places, Selector};

/// The bytes of an image, and the digest over its semantic sections.
pub(super) fn encode(
    policies: &[Policy],
    allowed_addresses: Option<&[IpNet]>,
    places: Option<&Places>,
) -> (Vec<u8>, Digest) {
    let mut sections = vec![
        (POLICIES, SEMANTIC, policies_section(policies)),
        (ALLOWED_ADDRESSES, SEMANTIC, allowed_section(allowed_addresses)),
    ];
    let digest = digest(sections.iter().map(|(id, _, bytes)| (*id, bytes.as_slice())));
    if let Some(places) = places {
        sections.push((PLACES, 0, places_section(places)));
    }
    let payload: usize = sections.iter().map(|(_, _, bytes)| bytes.len()).sum();
    let mut offset = HEADER_SIZE + sections.len() * SECTION_ROW_SIZE;
    let length = offset + payload + CHECKSUM_SIZE;

    let mut out = Writer(Vec::with_capacity(length));
    out.0.extend(MAGIC);
    out.u32(FORMAT);
    out.count(sections.len());
    out.u64(length as u64);
    out.u64(0);
    for (id, flags, bytes) in &sections {
        out.u32(*id);
        out.u32(*flags);
        out.u64(offset as u64);
        out.u64(bytes.len() as u64);
        offset += bytes.len();
    }
    for (_, _, bytes) in &sections {
        out.0.extend_from_slice(bytes);
    }
    let checksum = blake3::hash(&out.0);
    out.0.extend_from_slice(checksum.as_bytes());
    (out.0, digest)
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

pub(super) fn policies_section(policies: &[Policy]) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    out.count(policies.len());
    for policy in policies {
        out.policy(policy);
    }
    out.0
}

pub(super) fn allowed_section(list: Option<&[IpNet]>) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    out.option(list, |out, list| {
        out.count(list.len());
        for net in list {
            out.ip(net.addr());
            out.u8(net.prefix_len());
        }
    });
    out.0
}

/// File names and field paths once each, then the places that point at them.
fn places_section(places: &Places) -> Vec<u8> {
    let all = || places.iter().flat_map(|(_, fields)| fields).map(|(_, place)| &place.file);
    // The fields of a policy stand in one file, so neighbours mostly share the name itself.
    let mut files: Vec<&Arc<str>> = all().collect();
    files.dedup_by(|a, b| Arc::ptr_eq(a, b));
    files.sort_unstable();
    files.dedup();
    let mut out = Writer(Vec::new());
    out.count(files.len());
    for file in &files {
        out.text(file);
    }
    out.count(places.paths().len());
    for path in places.paths() {
        out.text(path);
    }
    out.count(places.iter().len());
    let mut last: Option<(&Arc<str>, usize)> = None;
    for (policy, written) in places.iter() {
        out.text(&policy.namespace);
        out.text(&policy.name);
        out.count(written.len());
        for (field, place) in written {
            let (_, file) = *match &mut last {
                Some(last) if Arc::ptr_eq(last.0, &place.file) => last,
                last => last.insert((&place.file, files.binary_search(&&place.file).unwrap_or_default())),
            };
            out.u32(field.index());
            out.count(file);
            out.u32(place.line);
            out.u32(place.column);
            out.u32(place.end_line);
            out.u32(place.end_column);
        }
    }
    out.0
}

struct Writer(Vec<u8>);

impl Writer {
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
                self.ip(*ip);
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
        self.option(*address, Self::ip);
        self.u8(u8::from(policy.skip));
        self.u8(match policy.fallback {
            Fallback::Original => 0,
            Fallback::Drop => 1,
        });
        match &policy.clients {
            Clients::All => self.u8(0),
            Clients::Pods => self.u8(1),
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
