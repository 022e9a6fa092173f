//! `metadata`: name, namespace, and annotations for [`annotations`](super::annotations).

use std::sync::Arc;

use lrpc_schema::diagnostic::Field;

use super::object::{Object, Reader};
use crate::check::{invalid_name, missing_field};
use crate::hir::{Namespace, Spanned};
use crate::names::{is_dns_label, is_dns_subdomain};
use crate::syntax::Node;
use crate::template;

/// What `metadata` says.
pub(super) struct Metadata<'t, 's> {
    pub(super) name: Option<Spanned<Arc<str>>>,
    pub(super) namespace: Namespace,
    pub(super) annotations: Option<&'t Node<'s>>,
}

/// The fields of Kubernetes' ObjectMeta.
const KNOWN: [&str; 15] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "generateName",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
    "finalizers",
    "managedFields",
];

pub(super) fn lower<'t, 's>(reader: &mut Reader<'t, 's>, top: &Object<'t, 's>) -> Metadata<'t, 's> {
    let absent = Metadata { name: None, namespace: Namespace::Absent, annotations: None };
    let path = Field::Fixed("metadata");
    let example = "metadata: {name: redirect, namespace: default}";
    let Some((key, node)) = reader.required(top, "metadata", &path, example) else {
        return Metadata { namespace: Namespace::Wrong, ..absent };
    };
    let Some(object) = reader.object(node, &path, key.span, &KNOWN) else {
        return Metadata { namespace: Namespace::Wrong, ..absent };
    };
    if let Some((key, node)) = object.get("labels") {
        let field = Field::Fixed("metadata.labels");
        let labels = reader.map(node, &field, key.span);
        for [key, value] in labels.map_or(&[][..], |labels| labels.entries) {
            let path = Field::Key("metadata.labels", key.text().unwrap_or_default().to_owned().into());
            reader.text(value, &path);
        }
    }
    Metadata {
        name: name(reader, &object),
        namespace: namespace(reader, &object),
        annotations: object.get("annotations").map(|(_, node)| node),
    }
}

fn name<'t, 's>(reader: &mut Reader<'t, 's>, metadata: &Object<'t, 's>) -> Option<Spanned<Arc<str>>> {
    let field = Field::Fixed("metadata.name");
    let (_, node) = reader.required(metadata, "name", &field, "name: redirect")?;
    let name = reader.string(node, field)?;
    if !is_dns_subdomain(name.value) {
        reader.report(invalid_name::report(reader.source, name.span, "metadata.name", name.value, true));
        return None;
    }
    Some(name.map(Arc::from))
}

fn namespace<'t, 's>(reader: &mut Reader<'t, 's>, metadata: &Object<'t, 's>) -> Namespace {
    let Some((_, node)) = metadata.get("namespace") else {
        let written = metadata.entries.iter().find(|[key, _]| key.text() == Some("namespace"));
        let rest = |key: &Node<'_>| reader.source.text().get(key.span.end as usize..);
        let Some([key, _]) = written.filter(|[key, _]| rest(key).is_some_and(template::is_behind)) else {
            return Namespace::Absent;
        };
        // A placeholder stands there, which no namespace of the command line replaces.
        let problem =
            missing_field::report(reader.source, key.span, "metadata.namespace", "namespace: default");
        reader.report(problem);
        return Namespace::Wrong;
    };
    let Some(namespace) = reader.string(node, Field::Fixed("metadata.namespace")) else {
        return Namespace::Wrong;
    };
    // What templates render to where nothing was set (L13).
    if namespace.value.is_empty() {
        return Namespace::Absent;
    }
    if !is_dns_label(namespace.value) {
        let path = "metadata.namespace";
        reader.report(invalid_name::report(reader.source, namespace.span, path, namespace.value, false));
        return Namespace::Wrong;
    }
    Namespace::Written(namespace.map(Arc::from))
}
