//! What this version's data path does not carry, as reports.

use lrpc_linker::profile::Warning;
use lrpc_schema::diagnostic::Severity;

use super::Report;

pub(crate) fn report(warning: &Warning) -> Report {
    let policies: Vec<String> = warning.policies.iter().map(ToString::to_string).collect();
    Report {
        code: warning.code(),
        severity: Severity::Warning,
        message: warning.to_string(),
        policy: match warning.policies.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        },
        primary: None,
        related: Vec::new(),
        help: Some(format!("of {}", policies.join(", "))),
        nodes: None,
    }
}
