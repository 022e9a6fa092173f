//! Documents of other kinds are ignored, so a slip in the kind or the group would silently lose a policy.

use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::{Source, Span};
use crate::template;

pub(crate) const PAGE: Page =
    page!("near-miss-kind", Error, since "0.1.0", "a kind or group is almost that of a policy");

pub(crate) fn kind(source: &Source, kind: &str, span: Span) -> Diagnostic {
    PAGE.report(format!("{} is not a kind; `CiliumLocalRedirectPolicy` is", shown(kind)))
        .at(source, span, "no such kind")
        .help("write `kind: CiliumLocalRedirectPolicy`")
}

/// A kind of our group that a template fills in.
pub(crate) fn placeholder(source: &Source, kind: &str, span: Span) -> Diagnostic {
    PAGE.report(format!("the kind {} may become `CiliumLocalRedirectPolicy`", shown(kind)))
        .at(source, span, "not filled in yet")
        .help(template::REMEDY)
}

pub(crate) fn group(source: &Source, api_version: &str, span: Span) -> Diagnostic {
    let message = match api_version {
        "" => "the `apiVersion` of a `CiliumLocalRedirectPolicy` is empty".to_owned(),
        _ => format!("{} has no `CiliumLocalRedirectPolicy`; `cilium.io/v2` has", shown(api_version)),
    };
    PAGE.report(message)
        .at(source, span, "no such group and version")
        .help("write `apiVersion: cilium.io/v2`")
}
