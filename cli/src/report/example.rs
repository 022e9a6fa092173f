//! A diagnostic for the tests of the formats.

use lrpc_compiler::Source;
use lrpc_schema::diagnostic::{Code, Label, Severity, Spot};
use lrpc_schema::image::PolicyName;

use super::{Location, Report};

/// An error about the first `quoted` in `text`.
pub(crate) fn report(file: &str, text: &str, quoted: &str) -> Report {
    Report {
        policy: Some(PolicyName { namespace: "default".into(), name: "kiam".into() }),
        primary: Some(location(&Source::new(file, text), quoted, "")),
        code: Code::new("port-zero"),
        severity: Severity::Error,
        message: "port 0 cannot be redirected".to_owned(),
        help: None,
        related: Vec::new(),
        nodes: None,
    }
}

/// The place of the first `quoted` in a source.
pub(crate) fn location(source: &Source, quoted: &str, message: &str) -> Label<Location> {
    let start = source.text().find(quoted).unwrap();
    let spot = Spot { source: source.clone(), span: start..start + quoted.len() };
    Label { at: Location::from(spot), message: message.to_owned() }
}
