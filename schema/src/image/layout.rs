//! The byte layout of an image, as drawn in `docs/image-format.md`. Numbers are little-endian.

/// The format that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The first bytes of every image; the first is not text in any encoding.
pub(super) const MAGIC: [u8; 8] = *b"\x89LRPCIMG";

pub(super) const FORMAT_AT: usize = MAGIC.len();
pub(super) const SECTION_COUNT_AT: usize = FORMAT_AT + 4;
pub(super) const LENGTH_AT: usize = SECTION_COUNT_AT + 4;
pub(super) const RESERVED_AT: usize = LENGTH_AT + 8;
pub(super) const HEADER_SIZE: usize = RESERVED_AT + 8;

/// One row of the section table: id, flags, offset, length.
pub(super) const SECTION_ROW_SIZE: usize = 4 + 4 + 8 + 8;

/// blake3 over every byte before it.
pub(super) const CHECKSUM_SIZE: usize = 32;

/// Flag of a section that says what the policies mean: it is part of the digest, and a reader that does
/// not know it refuses the image.
pub(super) const SEMANTIC: u32 = 1;

pub(super) const POLICIES: u32 = 1;
pub(super) const ALLOWED_ADDRESSES: u32 = 2;
pub(super) const PLACES: u32 = 3;
/// Reserved for a signature over the digest; no version writes it.
pub(super) const SIGNATURE: u32 = 4;

pub(super) const ALLOWED_WARNINGS: u32 = 5;

/// What one place takes: field, file, and its four numbers.
pub(super) const PLACE_SIZE: usize = 6 * size_of::<u32>();

/// Domain of the digest, so that no other blake3 hash of the same bytes equals it.
pub(super) const DIGEST_CONTEXT: &str = "lrpc 2026-11 image semantic sections";

const _: () = assert!(HEADER_SIZE == 32);
