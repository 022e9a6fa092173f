//! The top level of a policy and its `spec`.

use lrpc_schema::diagnostic::Field;

use super::object::{Object, Reader};
use super::places::Recorder;
use super::{annotations, frontend, metadata, ports, selector};
use crate::check;
use crate::diagnostic::Severity;
use crate::hir::{Backend, Frontend, Namespace, Policy};
use crate::source::Source;
use crate::syntax::{Node, Tree};

const SPEC: Field = Field::Fixed("spec");
const BACKEND: &str = "spec.redirectBackend";

/// The policy in a document of our kind; `in_list` where the list around it says what it is.
pub(super) fn lower<'t, 's>(
    source: &'t Source,
    tree: &'t Tree<'s>,
    node: &'t Node<'s>,
    in_list: bool,
    places: &'t mut Recorder<'s>,
) -> Policy {
    let mut reader = Reader { source, tree, places, problems: Vec::new() };
    let mut policy = read(&mut reader, node, in_list);
    let is_sound = reader.problems.iter().all(|problem| problem.severity == Severity::Warning);
    policy.place = reader.places.end_policy(is_sound);
    policy.problems = reader.problems;
    check::policy(&mut policy);
    policy
}

fn read<'t, 's>(reader: &mut Reader<'t, 's>, node: &'t Node<'s>, in_list: bool) -> Policy {
    let top = Field::Fixed("");
    let at = reader.tree.field(node, "kind").map_or_else(|| reader.tree.head(node), |kind| kind.span);
    let object = reader
        .object(node, &top, at, &["apiVersion", "kind", "metadata", "spec", "status"])
        .unwrap_or(Object { entries: &[], at });
    if !in_list {
        let field = Field::Fixed("apiVersion");
        if let Some((_, node)) = reader.required(&object, "apiVersion", &field, "apiVersion: cilium.io/v2") {
            reader.text(node, &field);
        }
    }
    let metadata = metadata::lower(reader, &object);
    let annotations = metadata.annotations.map(|node| annotations::lower(reader, node)).unwrap_or_default();
    let (frontend, backend, skip) = spec(reader, &object, &metadata.namespace);
    Policy {
        source: reader.source.clone(),
        at: metadata.name.as_ref().map_or(at, |name| name.span),
        name: metadata.name,
        namespace: metadata.namespace,
        frontend,
        backend,
        skip,
        annotations,
        place: 0,
        problems: Vec::new(),
    }
}

fn spec<'t, 's>(
    reader: &mut Reader<'t, 's>,
    object: &Object<'t, 's>,
    own: &Namespace,
) -> (Option<Frontend>, Backend, bool) {
    let example = "spec: {redirectFrontend: …, redirectBackend: …}";
    let Some((key, node)) = reader.required(object, "spec", &SPEC, example) else {
        return Default::default();
    };
    reader.place(SPEC, key.span);
    let known = ["redirectFrontend", "redirectBackend", "skipRedirectFromBackend", "description"];
    let Some(spec) = reader.object(node, &SPEC, key.span, &known) else { return Default::default() };
    if let Some((_, node)) = spec.get("description") {
        reader.text(node, &Field::Fixed("spec.description"));
    }
    let frontend_ports = frontend::port_count(reader, &spec);
    let backend_ports = backend_port_count(reader, &spec);
    let frontend = frontend::lower(reader, &spec, own, frontend_ports > 1);
    let backend = backend(reader, &spec, frontend_ports > 1 || backend_ports > 1);
    let skip = spec
        .get("skipRedirectFromBackend")
        .and_then(|(_, node)| reader.boolean(node, Field::Fixed("spec.skipRedirectFromBackend")));
    (frontend, backend, skip.unwrap_or_default())
}

fn backend_port_count(reader: &Reader<'_, '_>, spec: &Object<'_, '_>) -> usize {
    let backend = spec.get("redirectBackend").map(|(_, node)| node);
    backend.map_or(0, |backend| ports::count(reader, backend))
}

fn backend<'t, 's>(reader: &mut Reader<'t, 's>, spec: &Object<'t, 's>, names_required: bool) -> Backend {
    let path = Field::Fixed(BACKEND);
    let example = "redirectBackend: {localEndpointSelector: …, toPorts: […]}";
    let Some((key, node)) = reader.required(spec, "redirectBackend", &path, example) else {
        return Backend::default();
    };
    reader.place(path.clone(), key.span);
    let Some(object) = reader.object(node, &path, key.span, &["localEndpointSelector", "toPorts"]) else {
        return Backend::default();
    };
    let example = "localEndpointSelector: {matchLabels: {app: agent}}";
    let field = Field::Fixed(selector::PATH);
    let selector = reader
        .required(&object, "localEndpointSelector", &field, example)
        .and_then(|(key, node)| selector::lower(reader, key, node));
    let path = "spec.redirectBackend.toPorts";
    let ports = reader
        .required(&object, "toPorts", &Field::Fixed(path), "toPorts: [{port: \"80\", protocol: TCP}]")
        .map(|(key, node)| ports::lower(reader, key, node, path, names_required, false))
        .unwrap_or_default();
    Backend { selector, ports }
}
