//! Values as bytes, little-endian, with their lengths in front: what an [image](super) and the map set that
//! a node keeps have in common. What stands in which order is theirs to say.
//!
//! Numbers that stand for a choice are given once and for ever.

mod read;
mod write;

pub use read::{Read, Reader, Unreadable};
pub use write::Writer;
