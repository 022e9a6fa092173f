//! What is wrong with an inventory, as reports and as diagnostics beside the compiler's own.

use lrpc_compiler::Diagnostic;
use lrpc_linker::inventory::Problem;

use super::{Report, diagnostic};

/// The report of a problem, for what links an image.
pub(crate) fn report(problem: &Problem) -> Report {
    diagnostic::report(&diagnostic(problem))
}

/// The problem as a diagnostic, so that it settles as the compiler's own do.
pub(crate) fn diagnostic(problem: &Problem) -> Diagnostic {
    Diagnostic {
        code: problem.code(),
        severity: lrpc_compiler::Severity::Warning,
        message: problem.to_string(),
        policy: None,
        primary: None,
        related: Vec::new(),
        help: Some(problem.help()),
        given: None,
    }
}
