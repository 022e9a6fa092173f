//! Reading an image, with the remedy for each way in which it can be none.

use std::fs;
use std::path::Path;

use lrpc_schema::image::{DecodeError, Image};

use crate::exit::Failure;

/// The verified image in a file.
///
/// # Errors
/// When the file cannot be read or is not a whole image that this version understands.
pub(super) fn read(path: &Path) -> Result<Image, Failure> {
    let bytes = fs::read(path).map_err(|error| {
        Failure::new(format!("{} cannot be read", path.display()))
            .because(&error)
            .help("write an image with `lrpc compile PATH... -o IMAGE`")
    })?;
    decode(path, bytes)
}

/// The verified image in the bytes of a file.
///
/// # Errors
/// When they are not a whole image that this version understands.
pub(super) fn decode(path: &Path, bytes: Vec<u8>) -> Result<Image, Failure> {
    Image::decode(bytes).map_err(|error| {
        let help = match error {
            DecodeError::NewerFormat { .. } | DecodeError::UnknownSection { .. } => {
                "use the lrpc that wrote it, or a later one"
            }
            DecodeError::NotAnImage => "write an image with `lrpc compile PATH... -o IMAGE`",
            DecodeError::Length { .. } | DecodeError::Checksum | DecodeError::Malformed { .. } => {
                "copy the image again, or compile it anew"
            }
        };
        Failure::new(format!("{} is not a valid image", path.display())).because(&error).help(help)
    })
}
