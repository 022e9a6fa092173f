//! The image: what `lrpc compile` writes and everything after it believes.
//!
//! [`policy`] and [`selector`] say what an image holds ([`address`] and [`name`] of which form, [`metadata`] which
//! addresses clouds use, [`rules`] what fits together), [`places`] where in the manifests it was written,
//! [`allowed`] which warnings they allow. [`layout`] says how the bytes are arranged (drawn in
//! `docs/image-format.md`), [`wire`] how a value stands in them; [`encode`] and [`decode`] turn one into the other.
//!
//! It knows no YAML and no node. INVARIANT: equal policies give equal bytes in every semantic section, on
//! every machine; only [`Image::decode`] makes an image out of bytes, and only [`Image::seal`] out of
//! policies.

mod address;
mod allowed;
mod decode;
mod encode;
mod layout;
mod metadata;
pub mod name;
mod places;
mod policy;
mod rules;
mod selector;
pub mod wire;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use ipnet::IpNet;

pub use crate::protocol::{Protocol, UnknownProtocol};
pub use address::{AgentAddress, FrontendAddress, PodAddress, WrongAddress};
pub use allowed::AllowedWarning;
pub use decode::DecodeError;
pub use layout::FORMAT;
pub use metadata::is_metadata;
pub use places::{FieldId, FilePlaces, Place, Places, Stretch};
pub use policy::{Backend, Clients, Endpoint, Fallback, Kind, Matcher, Policy, PolicyName, Port, PortSpec};
pub use selector::{NotARequirement, Operator, Requirement, Selector};

/// The blake3 digest over an image's semantic sections: equal policies have equal digests, whatever their
/// files are called. Shown as `blake3:HEX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest out of its 32 bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl core::fmt::Display for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "blake3:{}", blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl core::fmt::Debug for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{self}")
    }
}

/// A text is not `blake3:` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `blake3:` followed by 64 hexadecimal digits")]
pub struct NotADigest;

impl core::str::FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let hex = text.strip_prefix("blake3:").ok_or(NotADigest)?;
        blake3::Hash::from_hex(hex).map(|hash| Self(*hash.as_bytes())).map_err(|_| NotADigest)
    }
}

/// A checked set of policies with its bytes. Holding one proves that the bytes are canonical and whole and
/// that the digest is theirs.
#[derive(Clone, Debug)]
pub struct Image {
    policies: Arc<Vec<Policy>>,
    allowed_addresses: Option<Vec<IpNet>>,
    /// Read out of the bytes when they are first asked for.
    places: OnceLock<Places>,
    /// Sorted; empty where no comment allows one, and in a stripped image.
    allowed_warnings: Vec<AllowedWarning>,
    /// The section of the places in the bytes.
    places_at: Option<Range<usize>>,
    bytes: Vec<u8>,
    digest: Digest,
}

impl Image {
    /// The image of a set of policies: sorts them by namespace and name, encodes them and takes the digest.
    ///
    /// `allowed_addresses` is L14's list (`None`: every address), `places` where each field was written
    /// (`None` in a stripped image). The caller has checked the policies: names are unique, each obeys
    /// [`rules`], and ports are written in the order that counts (R8).
    pub fn seal(
        policies: impl Into<Arc<Vec<Policy>>>,
        allowed_addresses: Option<&[IpNet]>,
        places: Option<&Places>,
    ) -> Self {
        let mut policies = policies.into();
        if !policies.is_sorted_by(|a, b| a.name <= b.name) {
            Arc::make_mut(&mut policies).sort_by(|a, b| a.name.cmp(&b.name));
        }
        let allowed_addresses = allowed_addresses.map(canonical);
        let encoded = encode::encode(&policies, allowed_addresses.as_deref(), places);
        let encode::Encoded { bytes, digest, places_at } = encoded;
        let allowed_warnings = places.map_or_else(Vec::new, |places| places.allowed_warnings().to_vec());
        let places = OnceLock::new();
        Self { policies, allowed_addresses, places, allowed_warnings, places_at, bytes, digest }
    }

    /// Whether bytes are meant as an image: they begin with its magic number.
    pub fn is_begun_in(bytes: &[u8]) -> bool {
        bytes.starts_with(&layout::MAGIC)
    }

    /// The image in `bytes`, believed only after every byte has been checked.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong: not an image, a newer format, a length or checksum that does not
    /// fit, a semantic section that this version does not know, or a value that no encoder writes.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        decode::decode(bytes)
    }

    /// The policies, sorted by namespace and name.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policy of a name.
    pub fn policy(&self, name: &PolicyName) -> Option<&Policy> {
        let place = self.policies.binary_search_by(|policy| policy.name.cmp(name)).ok()?;
        self.policies.get(place)
    }

    /// The addresses that address policies may redirect (L14), sorted; `None` allows every address.
    pub fn allowed_addresses(&self) -> Option<&[IpNet]> {
        self.allowed_addresses.as_deref()
    }

    /// Where each field was written; `None` in a stripped image.
    pub fn places(&self) -> Option<&Places> {
        if let Some(places) = self.places.get() {
            return Some(places);
        }
        let section = self.bytes.get(self.places_at.clone()?)?;
        let read = decode::places(section, &self.policies)?.allowing(self.allowed_warnings.clone());
        Some(self.places.get_or_init(|| read))
    }

    /// Whether a comment beside a field of a policy allows the warning of a code.
    pub fn allows(&self, policy: &PolicyName, field: &str, code: &str) -> bool {
        let allowed = || {
            let place = self.places()?.find(policy, field)?;
            let mut warnings = self.allowed_warnings.iter();
            Some(warnings.any(|one| one.line == place.line && one.code == code && one.file == place.file))
        };
        // Most images allow none, and their places are never read.
        !self.allowed_warnings.is_empty() && allowed().unwrap_or(false)
    }

    /// The image as a file holds it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest over the semantic sections.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// An allow-list in the one form in which it is written: networks without host bits, sorted, each once.
fn canonical(list: &[IpNet]) -> Vec<IpNet> {
    let mut list: Vec<_> = list.iter().map(IpNet::trunc).collect();
    list.sort_unstable();
    list.dedup();
    list
}
