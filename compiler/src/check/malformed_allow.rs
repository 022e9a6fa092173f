//! A silenced warning says why, to the next reader.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};
use crate::syntax::allow::{Malformed, code_in};

pub(crate) const PAGE: Page = page!("malformed-allow", Error, since "0.1.0", "a comment to lrpc that it cannot read, or that gives no reason");

pub(crate) fn report(source: &Source, span: Span, problem: Malformed) -> Diagnostic {
    let comment = source.slice(span);
    match problem {
        Malformed::Form => PAGE
            .report(format!("the comment {} cannot be read", shown(comment)))
            .at(source, span, "not `lrpc: allow(code) reason`")
            .help("write `# lrpc: allow(code) reason`, with the code of a warning"),
        Malformed::Reason => {
            let code = code_in(comment).unwrap_or("code");
            PAGE.report(format!("an allow of {} gives no reason", shown(code)))
                .at(source, span, "why is the warning silenced?")
                .help(format!("write `# lrpc: allow({code}) reason`"))
        }
    }
}
