//! The text in a manifest's bytes.

use std::sync::Arc;

pub(crate) use lrpc_schema::diagnostic::Span;
pub use lrpc_schema::diagnostic::{Position, Source};

use crate::check::{input_limit, not_text};
use crate::diagnostic::Diagnostic;

/// The text in a file's bytes, under the name that reports show.
///
/// # Errors
/// `not-text` where the bytes are not UTF-8 or hold a NUL, `input-limit` where there are more than
/// [`Source::MAX_BYTES`], each with its place.
pub fn read(name: impl Into<Arc<str>>, bytes: Vec<u8>) -> Result<Source, Box<Diagnostic>> {
    let name = name.into();
    if bytes.len() > Source::MAX_BYTES {
        return Err(Box::new(input_limit::too_long(&Source::new(name, ""))));
    }
    let nul = bytes.contains(&0).then(|| bytes.iter().position(|byte| *byte == 0)).flatten();
    match (String::from_utf8(bytes), nul) {
        (Ok(text), None) => Ok(Source::new(name, text)),
        (Ok(text), Some(at)) => Err(Box::new(not_text::nul(&Source::new(name, text), at))),
        (Err(error), nul) => Err(Box::new(not_text::not_utf8(name, &error, nul))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_reported_at_their_place() {
        let report = |bytes: &[u8]| read("a.yaml", bytes.to_vec()).unwrap_err();
        let not_utf8 = report(b"a: b\nc: \xff\xfe d\n");
        assert_eq!((not_utf8.code.as_str(), not_utf8.line_and_column()), ("not-text", Some((2, 4))));
        let nul = report(b"a: \xc3\xbc\0b");
        assert_eq!((nul.code.as_str(), nul.line_and_column()), ("not-text", Some((1, 5))));
        assert!(read("a.yaml", b"a: b".to_vec()).is_ok());
    }
}
