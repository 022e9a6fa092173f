//! Reading an image from a file, for every command that takes one.

use std::fs;
use std::path::Path;

use lrpc_schema::image::{DecodeError, Image};

use crate::exit::Failure;

/// The verified image in a file.
///
/// # Errors
/// When the file cannot be read or is not a whole image that this version understands.
pub(crate) fn read(path: &Path) -> Result<Image, Failure> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| {
        Failure::new(format!("{shown} cannot be read"))
            .because(&error)
            .help("write an image with `lrpc compile PATH... -o IMAGE`")
    })?;
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
        Failure::new(format!("{shown} is not a valid image")).because(&error).help(help)
    })
}
