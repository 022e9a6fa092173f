//! A policy that Kustomize patches is another one once it is rendered: what lies here is not what will be applied.

use crate::diagnostic::{Diagnostic, Page, page};
use crate::source::Source;
use crate::workload::Patch;

pub(crate) const PAGE: Page =
    page!("kustomize-patch", Error, since "0.1.0", "a policy that Kustomize patches is not rendered yet");

pub(crate) fn report(source: &Source, patch: &Patch) -> Diagnostic {
    let folder = source.name().rsplit_once('/').map_or(".", |(folder, _)| folder);
    PAGE.report("a Kustomize patch changes a policy, and what comes of it is not in these files")
        .at(source, patch.at, "patches a policy")
        .help(format!("render first: `kubectl kustomize {folder} | lrpc check -`"))
}
