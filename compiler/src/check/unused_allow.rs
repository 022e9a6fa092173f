//! A comment that outlived its warning, or that names an error, which nothing silences.

use crate::diagnostic::{Diagnostic, Page, Severity, page, shown};
use crate::names::nearest;
use crate::source::Source;
use crate::syntax::allow::Allow;

pub(crate) const PAGE: Page =
    page!("unused-allow", Warning, since "0.1.0", "an allow comment that silences nothing");

pub(crate) fn report(source: &Source, allow: &Allow, pages: &[Page]) -> Diagnostic {
    let code = allow.code.as_str();
    let help = match pages.iter().find(|page| page.code == code).map(|page| page.severity) {
        Some(Severity::Error) => format!("`{code}` is an error, and only warnings can be silenced"),
        Some(Severity::Warning) => {
            "remove the comment, or put it on the line that the warning points at or the line above"
                .to_owned()
        }
        None => match nearest(code, pages.iter().map(|page| page.code.as_str())) {
            Some(known) => format!("no diagnostic has this code; did you mean `{known}`?"),
            None => "no diagnostic has this code; `lrpc explain` lists them".to_owned(),
        },
    };
    PAGE.report(format!("the allow of {} silences nothing", shown(code)))
        .at(source, allow.span, "no such warning here")
        .help(help)
}
