//! Bytes that are not UTF-8, or a NUL among them: nothing of the file can be read.

use crate::diagnostic::{Diagnostic, Page, page};
use std::string::FromUtf8Error;
use std::sync::Arc;

use lrpc_schema::image::Image;

use crate::source::{Source, Span};

pub(crate) const PAGE: Page = page!("not-text", Error, since "0.1.0", "a file is not text");

pub(crate) fn nul(source: &Source, at: usize) -> Diagnostic {
    PAGE.report(format!("`{}` holds a NUL byte", source.name()))
        .at(source, Span::new(at, at + 1), "no text has this byte")
        .help("remove the byte, or name another file if this is no manifest")
}

/// The report shows the text up to the first byte that is wrong.
pub(crate) fn not_utf8(name: Arc<str>, error: &FromUtf8Error, nul: Option<usize>) -> Diagnostic {
    let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    let source = Source::new(name, &*String::from_utf8_lossy(valid));
    if let Some(nul) = nul.filter(|nul| *nul < valid.len()) {
        return self::nul(&source, nul);
    }
    let end = valid.len();
    PAGE.report(format!("`{}` is not UTF-8", source.name()))
        .at(&source, Span::new(end, end), "the text cannot be read from here on")
        .help(match Image::is_begun_in(error.as_bytes()) {
            true => "this is an image, which is compiled already; `lrpc inspect` shows what it holds",
            false => "save the file as UTF-8, or name another file if this is no manifest",
        })
}
