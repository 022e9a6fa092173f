//! Policies to bytes. Total: a checked policy has no value that cannot be written.

use std::ops::Range;
use std::sync::Arc;

use ipnet::IpNet;

use super::layout::{
    ALLOWED_ADDRESSES, ALLOWED_WARNINGS, CHECKSUM_SIZE, DIGEST_CONTEXT, FORMAT, HEADER_SIZE, MAGIC,
    PLACE_SIZE, PLACES, POLICIES, SECTION_ROW_SIZE, SEMANTIC,
};
use super::policy::{Backend, Matcher, Policy, PortSpec};
use super::wire::Writer;
use super::{AgentAddress, AllowedWarning, Digest, Places, PolicyName, Stretch};

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
    let mut out = Writer::after(vec![0; HEADER_SIZE + count * SECTION_ROW_SIZE]);
    let mut sections = Vec::with_capacity(count);
    let mut section = |out: &mut Writer, id, flags, write: &dyn Fn(&mut Writer)| {
        let start = out.bytes().len();
        write(out);
        sections.push((id, flags, start..out.bytes().len()));
    };
    section(&mut out, POLICIES, SEMANTIC, &|out| {
        out.count(policies.len());
        policies.iter().for_each(|policy| self::policy(policy, out));
    });
    section(&mut out, ALLOWED_ADDRESSES, SEMANTIC, &|out| out.option(allowed_addresses, allowed));
    if let Some(places) = places {
        section(&mut out, PLACES, 0, &|out| self::places(places, out));
    }
    if !allowed_warnings.is_empty() {
        section(&mut out, ALLOWED_WARNINGS, 0, &|out| self::allowed_warnings(allowed_warnings, out));
    }
    let mut bytes = out.into_bytes();
    let mut head = Writer::default();
    head.raw(&MAGIC);
    head.u32(FORMAT);
    head.count(sections.len());
    head.u64((bytes.len() + CHECKSUM_SIZE) as u64);
    head.u64(0);
    for (id, flags, range) in &sections {
        head.u32(*id);
        head.u32(*flags);
        head.u64(range.start as u64);
        head.u64(range.len() as u64);
    }
    bytes.splice(..head.bytes().len(), head.into_bytes());
    let places_at = sections.iter().find(|(id, ..)| *id == PLACES).map(|(_, _, range)| range.clone());
    let semantic = sections.into_iter().filter(|(_, flags, _)| flags & SEMANTIC != 0);
    let digest = digest(semantic.map(|(id, _, range)| (id, bytes.get(range).unwrap_or_default())));
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    Encoded { bytes, digest, places_at }
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

/// A policy as section 1 holds it.
pub(super) fn policy(policy: &Policy, out: &mut Writer) {
    out.text(&policy.name.namespace);
    out.text(&policy.name.name);
    match &policy.frontend {
        Matcher::Address { ip, ports } => {
            out.u8(0);
            out.ip(ip.get());
            self::ports(ports, out);
        }
        Matcher::Service { name, ports } => {
            out.u8(1);
            out.text(name);
            self::ports(ports, out);
        }
    }
    let Backend { selector, ports, address } = &policy.backend;
    out.selector(selector);
    self::ports(ports, out);
    out.option(address.map(AgentAddress::get), Writer::ip);
    out.bool(policy.skip);
    out.fallback(policy.fallback);
    out.clients(&policy.clients);
    out.option(policy.nodes.as_ref(), Writer::selector);
    out.bool(policy.shadow_service);
}

fn ports(ports: &[PortSpec], out: &mut Writer) {
    out.count(ports.len());
    for port in ports {
        out.u16(port.port.get());
        out.u8(port.protocol.number());
        out.option(port.name.as_deref(), Writer::text);
    }
}

fn allowed(out: &mut Writer, list: &[IpNet]) {
    out.count(list.len());
    for net in list {
        out.ip(net.addr());
        out.u8(net.prefix_len());
    }
}

fn allowed_warnings(allowed: &[AllowedWarning], out: &mut Writer) {
    out.count(allowed.len());
    for AllowedWarning { file, line, code } in allowed {
        out.text(file);
        out.u32(*line);
        out.text(code);
    }
}

/// What the places of one policy take.
fn places_size(policy: &PolicyName, fields: usize) -> usize {
    3 * size_of::<u32>() + policy.namespace.len() + policy.name.len() + fields * PLACE_SIZE
}

/// File names and field paths once each, then the places that point at them.
fn places(places: &Places, out: &mut Writer) {
    let mut files: Vec<&Arc<str>> = places.iter().map(|(_, file, _)| file).collect();
    // Of a thousand neighbours in one file, most stand side by side.
    files.dedup();
    files.sort_unstable();
    files.dedup();
    out.reserve(places.iter().map(|(policy, _, fields)| places_size(policy, fields.len())).sum());
    out.count(files.len());
    files.iter().for_each(|file| out.text(file));
    out.count(places.paths().len());
    places.paths().iter().for_each(|path| out.text(path));
    out.count(places.iter().len());
    for (policy, file, fields) in places.iter() {
        let file = u32::try_from(files.binary_search(&file).unwrap_or_default()).unwrap_or(u32::MAX);
        out.text(&policy.namespace);
        out.text(&policy.name);
        out.count(fields.len());
        for (field, stretch) in fields {
            let Stretch { line, column, end_line, end_column } = *stretch;
            let words = [field.index(), file, line, column, end_line, end_column];
            out.raw(words.map(u32::to_le_bytes).as_flattened());
        }
    }
}
