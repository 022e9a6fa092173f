//! Joins the findings of `link`, which know policies and field paths, with the places in the manifests.

use lrpc_compiler::{Diagnostic, Label, Plan};
use lrpc_linker::Finding;
use lrpc_schema::image::{Places, PolicyName};

use super::{Location, Report, Severity};

/// The report of a finding about one node, out of an image: with the places that the image remembers, and
/// in a stripped image with the policy alone.
pub(crate) fn report(finding: &Finding, places: Option<&Places>) -> Report {
    let locate = |policy: &PolicyName, field: &str, label: &str| {
        let place = places?.find(policy, field)?;
        Some(Location { place, label: label.to_owned(), quote: None })
    };
    let related = finding.related.iter();
    Report {
        code: finding.code,
        severity: match finding.severity {
            lrpc_linker::Severity::Error => Severity::Error,
            lrpc_linker::Severity::Warning => Severity::Warning,
        },
        message: finding.message.clone(),
        policy: Some(finding.policy.to_string()),
        at: locate(&finding.policy, &finding.field, ""),
        related: related
            .filter_map(|related| locate(&related.policy, &related.field, &related.message))
            .collect(),
        help: finding.help.clone(),
        nodes: None,
    }
}

/// The finding as a diagnostic about the text that the plan was made of, so that it settles as the
/// compiler's own do.
pub(crate) fn diagnostic(finding: &Finding, plan: &Plan) -> Diagnostic {
    let label = |policy: &PolicyName, field: &str, message: &str| {
        let (source, span) = plan.find(policy, field)?;
        Some(Label { source: source.clone(), span, message: message.to_owned() })
    };
    let related = finding.related.iter();
    Diagnostic {
        code: finding.code,
        severity: severity(finding.severity),
        message: finding.message.clone(),
        policy: Some(finding.policy.clone()),
        primary: label(&finding.policy, &finding.field, ""),
        related: related
            .filter_map(|related| label(&related.policy, &related.field, &related.message))
            .collect(),
        help: finding.help.clone(),
        given: None,
    }
}

/// The loader's severity in the compiler's terms.
pub(super) fn severity(severity: lrpc_linker::Severity) -> lrpc_compiler::Severity {
    match severity {
        lrpc_linker::Severity::Error => lrpc_compiler::Severity::Error,
        lrpc_linker::Severity::Warning => lrpc_compiler::Severity::Warning,
    }
}
