//! Bytes to an image: header, checksum and sections. Nothing is believed before the checksum fits, and nothing is
//! accepted that [`super::encode`] would have written otherwise.

mod places;
mod policies;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use ipnet::IpNet;

use super::layout::{
    ALLOWED_ADDRESSES, ALLOWED_WARNINGS, CHECKSUM_SIZE, FORMAT, FORMAT_AT, HEADER_SIZE, LENGTH_AT, MAGIC,
    PLACES, POLICIES, RESERVED_AT, SECTION_COUNT_AT, SECTION_ROW_SIZE, SEMANTIC, SIGNATURE,
};
use super::{AllowedWarning, Image, canonical, encode};
use crate::image::wire::{Read, Reader, Unreadable};

pub(super) use places::places;

/// Why bytes are not an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The magic number is missing.
    #[error("not an lrpc image (it does not begin with the image's magic number)")]
    NotAnImage,
    /// A later lrpc wrote it.
    #[error("the image has format {found}; this lrpc reads formats up to {FORMAT}")]
    NewerFormat {
        /// The format in the header.
        found: u32,
    },
    /// The header's length and the number of bytes differ.
    #[error("the image should be {expected} bytes long and is {found}")]
    Length {
        /// The length that the header gives, at least that of an empty image.
        expected: u64,
        /// The number of bytes.
        found: u64,
    },
    /// At least one bit is not what was written.
    #[error("the image is damaged: its checksum does not fit its bytes")]
    Checksum,
    /// A later lrpc added meaning that must not be ignored.
    #[error("the image has a section {id} that changes what policies mean and that this lrpc does not know")]
    UnknownSection {
        /// The section's number.
        id: u32,
    },
    /// The checksum fits, but no encoder writes this.
    #[error("the image is malformed: {what}")]
    Malformed {
        /// The part that is wrong.
        what: &'static str,
    },
}

impl From<Unreadable> for DecodeError {
    fn from(Unreadable(what): Unreadable) -> Self {
        malformed(what)
    }
}

pub(super) fn decode(bytes: Vec<u8>) -> Result<Image, DecodeError> {
    let header = Header::read(&bytes)?;
    let sections = header.sections(&bytes)?;

    let mut policies = None;
    let mut allowed = None;
    let mut places = None;
    let mut allowed_warnings = Vec::new();
    for section in &sections {
        section.check_flags()?;
        let mut input = Reader::new(section.bytes);
        match section.id {
            POLICIES => policies = Some(policies::read(&mut input)?),
            ALLOWED_ADDRESSES => allowed = Some(input.option(|input| input.list(net))?),
            PLACES => {
                places::check(&mut input)?;
                places = Some(section.range.clone());
            }
            ALLOWED_WARNINGS => allowed_warnings = self::allowed_warnings(&mut input)?,
            SIGNATURE => continue,
            _ if section.is_semantic() => return Err(DecodeError::UnknownSection { id: section.id }),
            _ => continue,
        }
        input.end()?;
    }
    let (Some(policies), Some(allowed)) = (policies, allowed) else {
        return Err(malformed("a section is missing"));
    };
    if allowed.as_ref().is_some_and(|list| *list != canonical(list)) {
        return Err(malformed("the allowed addresses are not in canonical form"));
    }
    let semantic = sections.iter().filter(|section| section.is_semantic());
    let digest = encode::digest(semantic.map(|section| (section.id, section.bytes)));
    Ok(Image {
        policies: Arc::new(policies),
        allowed_addresses: allowed,
        places: OnceLock::new(),
        places_at: places,
        allowed_warnings,
        digest,
        bytes,
    })
}

fn net(input: &mut Reader<'_>) -> Read<IpNet> {
    let ip = input.ip()?;
    IpNet::new(ip, input.u8()?).map_err(|_| Unreadable("a prefix is longer than its address"))
}

fn allowed_warnings(input: &mut Reader<'_>) -> Read<Vec<AllowedWarning>> {
    let allowed = input.list(|input| {
        Ok(AllowedWarning { file: input.str()?.into(), line: input.u32()?, code: input.text()? })
    })?;
    if allowed.is_empty() || !allowed.is_sorted_by(|one, other| one < other) {
        return Err(Unreadable("the allowed warnings are not in order"));
    }
    Ok(allowed)
}

fn malformed(what: &'static str) -> DecodeError {
    DecodeError::Malformed { what }
}

/// What stands from `offset` on.
fn at(bytes: &[u8], offset: usize) -> Reader<'_> {
    Reader::new(bytes.get(offset..).unwrap_or_default())
}

struct Header {
    section_count: usize,
}

struct Section<'a> {
    id: u32,
    flags: u32,
    /// Where it stands in the image.
    range: Range<usize>,
    bytes: &'a [u8],
}

impl Section<'_> {
    fn is_semantic(&self) -> bool {
        self.flags & SEMANTIC != 0
    }

    /// A section that this version knows has the flags that this version writes: cleared ones would take
    /// its meaning out of the digest. What other flags of unknown sections mean is for later versions to
    /// say.
    fn check_flags(&self) -> Result<(), DecodeError> {
        let expected = match self.id {
            POLICIES | ALLOWED_ADDRESSES => SEMANTIC,
            PLACES | SIGNATURE | ALLOWED_WARNINGS => 0,
            _ => return Ok(()),
        };
        if self.flags == expected {
            Ok(())
        } else {
            Err(malformed("a section has flags that are not its own"))
        }
    }
}

impl Header {
    /// Checks magic, format, length and checksum, in this order, so that the message names the first cause.
    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(DecodeError::NotAnImage);
        }
        let found = bytes.len() as u64;
        let too_short = DecodeError::Length { expected: (HEADER_SIZE + CHECKSUM_SIZE) as u64, found };
        let format = at(bytes, FORMAT_AT).u32().map_err(|_| too_short.clone())?;
        if format > FORMAT {
            return Err(DecodeError::NewerFormat { found: format });
        }
        let expected = at(bytes, LENGTH_AT).u64().map_err(|_| too_short.clone())?;
        let section_count = at(bytes, SECTION_COUNT_AT).u32().map_err(|_| too_short.clone())?;
        if bytes.len() < HEADER_SIZE + CHECKSUM_SIZE {
            return Err(too_short);
        }
        if expected != found {
            return Err(DecodeError::Length { expected, found });
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM_SIZE);
        if blake3::hash(content).as_bytes() != checksum {
            return Err(DecodeError::Checksum);
        }
        if at(bytes, RESERVED_AT).u64() != Ok(0) {
            return Err(malformed("the reserved bytes are not zero"));
        }
        if format == 0 {
            return Err(malformed("there is no format 0"));
        }
        Ok(Self { section_count: section_count as usize })
    }

    /// The sections, which follow their table without gaps and in ascending order of id.
    fn sections<'a>(&self, bytes: &'a [u8]) -> Result<Vec<Section<'a>>, DecodeError> {
        let mut table = at(bytes, HEADER_SIZE);
        let end = (bytes.len() - CHECKSUM_SIZE) as u64;
        let table_size = (self.section_count as u64).saturating_mul(SECTION_ROW_SIZE as u64);
        let mut next = table_size.saturating_add(HEADER_SIZE as u64);
        if next > end {
            return Err(malformed("the section table is longer than the image"));
        }
        let mut sections = Vec::<Section<'a>>::new();
        for _ in 0..self.section_count {
            let (id, flags) = (table.u32()?, table.u32()?);
            let (offset, length) = (table.u64()?, table.u64()?);
            if sections.last().is_some_and(|last| last.id >= id) || offset != next {
                return Err(malformed("the sections are not in order"));
            }
            next = offset.saturating_add(length);
            let ends = usize::try_from(offset).ok().zip(usize::try_from(next).ok()).filter(|_| next <= end);
            let range = ends.map(|(from, to)| from..to).unwrap_or_default();
            let section = ends.and(bytes.get(range.clone()));
            let bytes = section.ok_or(malformed("a section is longer than the image"))?;
            sections.push(Section { id, flags, range, bytes });
        }
        if next != end {
            return Err(malformed("bytes belong to no section"));
        }
        Ok(sections)
    }
}

#[cfg(test)]
mod tests;
