//! What every fuzz target demands of the compiler and of the image, whatever the bytes are.
//!
//! A target finds more than a crash: a broken promise panics here. The nom parsers are private to the
//! compiler, so their targets reach them as users do, inside a manifest.
#![forbid(unsafe_code)]

use lrpc_compiler::{Checked, Diagnostic, Options, Source, check, emit, parse};
use lrpc_schema::diagnostic::{Severity, Spot};
use lrpc_schema::image::Image;

/// Compiles one manifest.
///
/// # Panics
/// Where a promise is broken: an error and a plan at once (or neither), a label outside its text, a headline
/// of two lines, or an image that is not read back as what was sealed.
pub fn compile(source: &Source) -> (Checked, Option<Image>) {
    let checked = check(vec![parse(source)], &Options::default());
    let is_sound = checked.diagnostics.iter().all(|found| found.severity == Severity::Warning);
    assert_eq!(checked.plan.is_some(), is_sound, "a plan is there exactly where no error is");
    checked.diagnostics.iter().for_each(well_formed);
    let image = checked.plan.as_ref().map(|plan| {
        let sealed = emit(plan, false);
        assert_eq!(emit(plan, true).digest(), sealed.digest(), "places are in no digest");
        let read = Image::decode(sealed.bytes().to_vec()).expect("what was sealed is read back");
        assert_eq!((read.policies(), read.places()), (sealed.policies(), sealed.places()));
        read
    });
    (checked, image)
}

fn well_formed(found: &Diagnostic) {
    assert!(!found.message.is_empty() && !found.message.contains('\n'), "a headline is one line");
    for label in found.primary.iter().chain(&found.related) {
        let Spot { source, span } = &label.at;
        assert!(source.text().get(span.clone()).is_some(), "a label lies between characters of its text");
        let (start, end) = (source.position(span.start), source.position(span.end));
        assert!(start <= end && end.line <= source.line_count(), "a label has a place");
    }
}

/// A policy in which only the value of the annotation `lrpc.dev/nodes` is open.
pub fn with_nodes(selector: &str) -> Source {
    Source::new("a.yaml", policy(&format!("\n  annotations: {{lrpc.dev/nodes: {}}}", quoted(selector)), ""))
}

/// A policy whose empty selector is a warning, with a comment on that line.
pub fn with_comment(comment: &str) -> Source {
    let text = policy("", &format!(" #{comment}"));
    Source::new("a.yaml", text.replace("{matchLabels: {app: x}}", "{}"))
}

fn policy(metadata: &str, comment: &str) -> String {
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\nmetadata:\n  name: a\n  namespace: b{metadata}\n\
         spec:\n  redirectFrontend:\n    addressMatcher:\n      ip: 169.254.169.254\n      toPorts: [{{port: \"80\", protocol: TCP}}]\n\
         \x20 redirectBackend:\n    localEndpointSelector: {{matchLabels: {{app: x}}}}{comment}\n    \
         toPorts: [{{port: \"80\", protocol: TCP}}]\n"
    )
}

/// The text as a double-quoted YAML scalar, with everything unusual escaped.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|character| match character {
        '"' | '\\' => format!("\\{character}"),
        ' '..='~' => character.to_string(),
        _ => format!("\\U{:08x}", u32::from(character)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Length of the checksum at the end of an image.
const CHECKSUM: usize = 32;
/// Where the header gives the image's length.
const LENGTH: std::ops::Range<usize> = 16..24;

/// The bytes with a length and a checksum that fit, so that they get past the first two checks.
pub fn resealed(content: &[u8]) -> Vec<u8> {
    let mut bytes = content.to_vec();
    let length = (bytes.len() + CHECKSUM) as u64;
    if let Some(field) = bytes.get_mut(LENGTH) {
        field.copy_from_slice(&length.to_le_bytes());
    }
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}
