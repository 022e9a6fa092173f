//! Images by digest: `images/HEX.lrpc`.

use std::ffi::OsStr;
use std::io::Write;

use lrpc_schema::image::{Digest, Image};

use super::{StateDir, StateError};

const IMAGES: &str = "images";
const ENDING: &str = ".lrpc";
/// No image is longer: the compiler's limits keep them far below.
const LONGEST: u64 = 1 << 30;

impl StateDir {
    /// Keeps an image under its digest. One that is there and whole stays; one that was emptied, damaged or has
    /// other places is written anew.
    ///
    /// # Errors
    /// The directory cannot be trusted or written.
    pub(crate) fn keep_image(&self, image: &Image) -> Result<(), StateError> {
        let images = self.make()?.make_child(IMAGES)?;
        let name = name(&image.digest());
        // The bytes are read where there are as many as there ought to be.
        let length = image.bytes().len() as u64;
        let kept = images.length(&name)?.filter(|kept| *kept == length);
        if kept.is_some() && images.read(&name, length)?.as_deref() == Some(image.bytes()) {
            return Ok(());
        }
        Ok(images.replace(&name, |file| file.write_all(image.bytes()))?)
    }

    /// The bytes of a kept image; `None` where it is lost. They carry their own checksum.
    ///
    /// # Errors
    /// The directory cannot be trusted or read.
    pub(crate) fn image(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StateError> {
        match self.folder(IMAGES)? {
            Some(images) => Ok(images.read(&name(digest), LONGEST)?),
            None => Ok(None),
        }
    }

    /// Removes the images that no kept generation needs.
    pub(super) fn prune_images(&self, needed: &[Digest]) -> Result<(), StateError> {
        let needed: Vec<_> = needed.iter().map(name).collect();
        self.sweep_folder(IMAGES, is_name, |file| needed.iter().any(|needed| file == &**needed))
    }
}

fn name(digest: &Digest) -> String {
    let hex = blake3::Hash::from_bytes(*digest.as_bytes()).to_hex();
    format!("{hex}{ENDING}")
}

/// 64 lower-case hexadecimal digits and the ending.
fn is_name(file: &OsStr) -> bool {
    let hex = file.to_str().and_then(|file| file.strip_suffix(ENDING));
    hex.is_some_and(|hex| {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        hex.len() == 2 * size_of::<[u8; 32]>() && hex.bytes().all(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_form_are_ours() {
        let own = name(&Digest::new([0xab; 32]));
        assert!(is_name(own.as_ref()));
        for other in ["a.lrpc", &own.to_uppercase(), &own[1..], &format!("{own}~"), &own.replace("ab", "gg")]
        {
            assert!(!is_name(other.as_ref()), "{other}");
        }
    }
}
