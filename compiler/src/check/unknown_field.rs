//! The API server drops such a field, and the policy does less than it says (L3).

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::names::nearest;
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("unknown-field", Error, since "0.1.0", "a field that policies do not have");

/// `written` are the known fields that the object has, of which none can be written again.
pub(crate) fn report(
    source: &Source,
    key: &str,
    at: Span,
    parent: &str,
    known: &[&str],
    written: &[&str],
) -> Diagnostic {
    let place = if parent.is_empty() { "a policy".to_owned() } else { format!("`{parent}`") };
    let help = match key {
        "overrideIP" | "toIP" => {
            "a proposal that no release has: remove it and annotate the policy with `lrpc.dev/backend-address` (L15)"
                .to_owned()
        }
        "forceRedirectOrDrop" => {
            "a proposal that no release has: remove it and annotate the policy with `lrpc.dev/fallback: drop` (L5)"
                .to_owned()
        }
        "nodeSelector" => {
            "a proposal that no release has: remove it and annotate the policy with `lrpc.dev/nodes` (L7)".to_owned()
        }
        _ => match nearest(key, known.iter().copied()) {
            Some(field) if written.contains(&field) => format!("remove it: `{field}` is there already"),
            Some(field) => format!("did you mean `{field}`?"),
            None => format!(
                "known here: {}",
                known.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ")
            ),
        },
    };
    let message = match key {
        "" => format!("a field of {place} has an empty name"),
        _ => format!("{place} has no field {}", shown(key)),
    };
    PAGE.report(message).at(source, at, "unknown field").help(help)
}
