//! R3, R4: the backends are pods of the policy's namespace, and none of those that lie beside it has the labels.

use lrpc_schema::image::Selector;

use super::Member;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::names::{distance, nearest};
use crate::source::Source;
use crate::workload::{Template, Workloads};

pub(crate) const PAGE: Page = page!(
    "selector-matches-no-template",
    Warning,
    since "0.1.0",
    "the backend selector matches no pod template that lies beside the policy"
);

/// Silent where no template of the namespace lies in the policy's folder, above or below it, unless a label is
/// nearly that of one elsewhere; and where a Service shows that pods with these labels come from elsewhere.
pub(super) fn check(member: &Member<'_>, namespace: &str, workloads: &Workloads<'_>) -> Option<Diagnostic> {
    let policy = member.policy;
    let selector = policy.backend.selector.as_ref()?;
    let is_known = |labels| !selector.value.is_empty() && selector.value.matches(labels);
    if workloads.services_in(namespace).take(workloads.weighed).any(|service| is_known(&service.selector)) {
        return None;
    }
    let shown = selector.value.to_string();
    let is_meant = |template: &&Template| {
        is_beside(&policy.source, &template.source) || is_near(&selector.value, template)
    };
    let candidates = workloads.templates_in(namespace).take(workloads.weighed).filter(is_meant);
    let nearest = candidates.min_by_key(|template| distance(&shown, &labels(template)))?;
    let diagnostic = PAGE
        .report(format!("selector `{shown}` matches no pod template of namespace `{namespace}`"))
        .at(&policy.source, selector.span, "no template has these labels")
        .related(
            &nearest.source,
            nearest.labels_at,
            format!("{} has `{}`", nearest.shown.value, labels(nearest)),
        )
        .help(
            "compare the selector with the labels of the pod template that is meant (not those of its \
             DaemonSet); if it lies elsewhere, say so: `# lrpc: allow(selector-matches-no-template) reason`",
        );
    Some(member.about(diagnostic))
}

/// One of the two files lies in the folder of the other, or below it.
fn is_beside(policy: &Source, template: &Source) -> bool {
    let folder = |source: &Source| {
        source.name().rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"))
    };
    let (one, other) = (folder(policy), folder(template));
    one.starts_with(&other) || other.starts_with(&one)
}

/// A label of the template has a value that the selector asks for, or nearly one.
fn is_near(selector: &Selector, template: &Template) -> bool {
    let values = selector.requirements().iter().flat_map(|requirement| requirement.values());
    let labels = || template.labels.values().map(String::as_str);
    values.into_iter().any(|value| nearest(value, labels()).is_some())
}

fn labels(template: &Template) -> String {
    let labels: Vec<_> = template.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    labels.join(",")
}
