//! L2: `In` and `NotIn` need values, `Exists` and `DoesNotExist` take none; the agent would match all or nothing.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::names::nearest;
use crate::source::{Source, Span};

pub(crate) const PAGE: Page =
    page!("invalid-selector", Error, since "0.1.0", "a match expression that contradicts its operator");

const OPERATORS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];

/// What an operator can be, as a remedy.
pub(super) const ONE_OF: &str = "one of `In`, `NotIn`, `Exists`, `DoesNotExist`";

pub(crate) fn operator(source: &Source, span: Span, operator: &str) -> Diagnostic {
    let help = match nearest(operator, OPERATORS) {
        Some(known) => format!("did you mean `{known}`?"),
        None => ONE_OF.to_owned(),
    };
    let message = match operator {
        "" => "an operator is empty".to_owned(),
        _ => format!("there is no operator {}", shown(operator)),
    };
    PAGE.report(message).at(source, span, "unknown operator").help(help)
}

pub(crate) fn no_values(source: &Source, span: Span, operator: &str) -> Diagnostic {
    PAGE.report(format!("the operator `{operator}` has no values"))
        .at(source, span, "needs at least one value")
        .help("add `values`, or use `Exists` or `DoesNotExist`")
}

pub(crate) fn values(source: &Source, span: Span, operator: &str) -> Diagnostic {
    let with_values = if operator == "Exists" { "In" } else { "NotIn" };
    PAGE.report(format!("the operator `{operator}` takes no values"))
        .at(source, span, "would be ignored")
        .help(format!("remove `values`, or use `{with_values}`"))
}
