//! What was loaded, whole, so that it can be loaded again: `generations/N.lrpcgen`.
//!
//! `docs/state-format.md` draws the bytes: what the set was loaded as, the set itself, a checksum. They are
//! enough after a reboot, without inventory, image and API server.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use lrpc_linker::MapSet;
use lrpc_linker::profile::Mode;
use lrpc_schema::image::{Digest, Image};
use lrpc_schema::records::Generation;
use serde::{Deserialize, Serialize};

use super::error::Damage;
use super::{StateDir, StateError};
use crate::record::{Record, text};

const GENERATIONS: &str = "generations";
const ENDING: &str = ".lrpcgen";
/// Room for a million rows.
const LONGEST: u64 = 1 << 30;

/// The first byte begins no text.
const MAGIC: [u8; 8] = *b"\x89LRPCGEN";
const FORMAT: u32 = 1;
const CHECKSUM: usize = blake3::OUT_LEN;
/// What a set was loaded as is never longer.
const HEAD: u64 = 1 << 16;

/// What a set was loaded as. Fields that a later version adds are passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoadedAs {
    /// The generation's number.
    pub(crate) generation: Generation,
    /// The node that it was linked for.
    pub(crate) node: String,
    /// Where the hooks act.
    pub(crate) mode: Mode,
    /// The image's digest.
    #[serde(with = "text")]
    pub(crate) image: Digest,
    /// The linked digest.
    #[serde(with = "text")]
    pub(crate) digest: Digest,
}

impl From<&Record> for LoadedAs {
    fn from(record: &Record) -> Self {
        Self {
            generation: record.generation,
            node: record.node.clone(),
            mode: record.mode,
            image: record.image,
            digest: record.digest,
        }
    }
}

impl StateDir {
    /// Keeps what is about to be loaded: the image, and the set as what it is loaded. What is kept already, and
    /// whole, stays.
    ///
    /// # Errors
    /// The directory cannot be trusted or written.
    pub(crate) fn prepare(&self, image: &Image, set: &MapSet, loaded: &LoadedAs) -> Result<(), StateError> {
        self.keep_image(image)?;
        let kept = self.generation(loaded.generation);
        if kept.is_ok_and(|kept| kept.is_some_and(|(kept, _)| kept == *loaded)) {
            return Ok(());
        }
        let head = serde_json::to_vec(loaded).map_err(StateError::Unwritable)?;
        let generations = self.make()?.make_child(GENERATIONS)?;
        Ok(generations.replace(&name(loaded.generation), |file| {
            let mut out = Hashing { out: file, hasher: blake3::Hasher::new() };
            out.write_all(&MAGIC)?;
            out.write_all(&FORMAT.to_le_bytes())?;
            out.write_all(&u32::try_from(head.len()).map_err(io::Error::other)?.to_le_bytes())?;
            out.write_all(&head)?;
            set.write(&mut out)?;
            let checksum = out.hasher.finalize();
            file.write_all(checksum.as_bytes())
        })?)
    }

    /// A kept generation; `None` where it is lost.
    ///
    /// # Errors
    /// The directory cannot be trusted or read, the file is damaged, or a later version wrote it.
    pub(crate) fn generation(
        &self,
        generation: Generation,
    ) -> Result<Option<(LoadedAs, MapSet)>, StateError> {
        let Some(generations) = self.folder(GENERATIONS)? else {
            return Ok(None);
        };
        let Some(bytes) = generations.read(&name(generation), LONGEST)? else {
            return Ok(None);
        };
        let path = generations.path().join(name(generation));
        let (body, checksum) =
            bytes.split_last_chunk::<CHECKSUM>().ok_or_else(|| damaged(&path, Damage::Magic))?;
        let (loaded, rest) = head(body, &path)?;
        if blake3::hash(body) != blake3::Hash::from_bytes(*checksum) {
            return Err(damaged(&path, Damage::Checksum));
        }
        let set = MapSet::read(rest).map_err(|error| damaged(&path, error.into()))?;
        if (loaded.generation, loaded.digest) != (generation, set.digest()) {
            return Err(damaged(&path, Damage::Digest));
        }
        Ok(Some((loaded, set)))
    }

    /// The set of a kept generation; `None` where it is lost, or was kept with another linked digest.
    ///
    /// # Errors
    /// As for [`generation`](Self::generation).
    pub(crate) fn kept_set(
        &self,
        generation: Generation,
        digest: Digest,
    ) -> Result<Option<MapSet>, StateError> {
        let kept = self.generation(generation)?;
        Ok(kept.filter(|(kept, _)| kept.digest == digest).map(|(_, set)| set))
    }

    /// Drops the generations that are not resident, and the images that only they needed. Only names of our own
    /// form are removed; what cannot be removed is tried again next time.
    ///
    /// # Errors
    /// The first thing that could not be done; the rest was.
    pub(crate) fn prune(&self, resident: &[Generation]) -> Result<(), StateError> {
        let resident_names: Vec<_> = resident.iter().map(|&generation| name(generation)).collect();
        let generations =
            self.sweep_folder(GENERATIONS, is_name, |file| resident_names.iter().any(|name| file == &**name));
        let images = self.images_of(resident).and_then(|needed| self.prune_images(&needed));
        generations.and(images).and(self.sweep_halves())
    }

    /// The images of these generations, as far as they are kept.
    fn images_of(&self, generations: &[Generation]) -> Result<Vec<Digest>, StateError> {
        let Some(kept) = self.folder(GENERATIONS)? else {
            return Ok(Vec::new());
        };
        let mut images = Vec::new();
        for &generation in generations {
            if let Some(start) = kept.read_start(&name(generation), HEAD)? {
                images.push(head(&start, &kept.path().join(name(generation)))?.0.image);
            }
        }
        Ok(images)
    }
}

/// What a set was loaded as, and what follows.
fn head<'a>(bytes: &'a [u8], path: &Path) -> Result<(LoadedAs, &'a [u8]), StateError> {
    let magic = || damaged(path, Damage::Magic);
    let rest = bytes.strip_prefix(&MAGIC).ok_or_else(magic)?;
    let (format, rest) = rest.split_first_chunk().ok_or_else(magic)?;
    let format = u32::from_le_bytes(*format);
    if format != FORMAT {
        return Err(StateError::Later { path: path.to_owned(), format });
    }
    let (length, rest) = rest.split_first_chunk().ok_or_else(magic)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (json, rest) = rest.split_at_checked(length).ok_or_else(magic)?;
    let loaded =
        serde_json::from_slice(json).map_err(|error| damaged(path, Damage::LoadedAs(error.to_string())))?;
    Ok((loaded, rest))
}

fn damaged(path: &Path, damage: Damage) -> StateError {
    StateError::Damaged { path: path.to_owned(), damage }
}

fn name(generation: Generation) -> String {
    format!("{generation}{ENDING}")
}

/// A number as we write it, and the ending.
fn is_name(file: &OsStr) -> bool {
    let number = file.to_str().and_then(|file| Generation::new(file.strip_suffix(ENDING)?.parse().ok()?));
    number.is_some_and(|number| file == &*name(number))
}

/// Writes, and hashes what it writes.
struct Hashing<'a, W> {
    out: &'a mut W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_form_are_ours() {
        assert!(is_name(name(Generation::FIRST).as_ref()) && is_name(name(Generation::LAST).as_ref()));
        for other in ["7", "07.lrpcgen", "+7.lrpcgen", "a.lrpcgen", ".lrpcgen", "7.lrpcgen.half"] {
            assert!(!is_name(other.as_ref()), "{other}");
        }
    }
}
