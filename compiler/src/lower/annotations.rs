//! The `lrpc.dev/` annotations (L1, L5, L6, L7, L15); those of others are theirs.

use lrpc_schema::image::{Clients, Fallback, Selector};

use super::object::Reader;
use crate::check::{backend_address_range, invalid_address, invalid_annotation, unknown_annotation};
use crate::hir::{Annotations, Field, Spanned};
use crate::selector;
use crate::syntax::Node;

const FALLBACK: &str = "lrpc.dev/fallback";
const CLIENTS: &str = "lrpc.dev/clients";
const NODES: &str = "lrpc.dev/nodes";
const BACKEND_ADDRESS: &str = "lrpc.dev/backend-address";
const SHADOW_SERVICE: &str = "lrpc.dev/shadow-service";
const KNOWN: [&str; 5] = [FALLBACK, CLIENTS, NODES, BACKEND_ADDRESS, SHADOW_SERVICE];

pub(super) fn lower<'t, 's>(reader: &mut Reader<'t, 's>, node: &'t Node<'s>) -> Annotations {
    let mut annotations = Annotations::default();
    let path = "metadata.annotations";
    let Some(object) = reader.map(node, &Field::Fixed(path), node.span) else { return annotations };
    for [key, value] in object.entries {
        let Some(name) = key.text() else { continue };
        if value.is_null() {
            continue;
        }
        if !name.starts_with("lrpc.dev/") {
            reader.text(value, &Field::Key(path, name.into()));
            continue;
        }
        if !KNOWN.contains(&name) {
            reader.report(unknown_annotation::report(reader.source, key.span, name, &KNOWN));
            continue;
        }
        if let Some(text) = reader.string(value, Field::Key(path, name.into())) {
            annotation(reader, &mut annotations, name, text);
        }
    }
    annotations
}

fn annotation(reader: &mut Reader<'_, '_>, annotations: &mut Annotations, name: &str, text: Spanned<&str>) {
    match name {
        FALLBACK => {
            let known = [Fallback::Original, Fallback::Drop];
            match known.into_iter().find(|fallback| fallback.as_str() == text.value) {
                Some(fallback) => annotations.fallback = fallback,
                None => unknown_word(reader, name, text, &["original", "drop"]),
            }
        }
        SHADOW_SERVICE => match text.value {
            "true" => annotations.shadow_service = true,
            "false" => {}
            _ => unknown_word(reader, name, text, &["true", "false"]),
        },
        CLIENTS => annotations.clients = clients(reader, text),
        NODES => annotations.nodes = label_selector(reader, name, text, text.value),
        _ => annotations.backend_address = backend_address(reader, text),
    }
}

fn unknown_word(reader: &mut Reader<'_, '_>, name: &str, text: Spanned<&str>, words: &[&str]) {
    reader.report(invalid_annotation::report(reader.source, text.span, name, text.value, words));
}

fn clients(reader: &mut Reader<'_, '_>, text: Spanned<&str>) -> Clients {
    match text.value {
        "all" => Clients::All,
        "pods" => Clients::Pods,
        "namespace" => Clients::Namespace,
        value => match value.strip_prefix("selector:") {
            Some(selector) => {
                label_selector(reader, CLIENTS, text, selector).map_or(Clients::All, Clients::Selector)
            }
            None => {
                unknown_word(reader, CLIENTS, text, &["all", "pods", "namespace", "selector:app=x"]);
                Clients::All
            }
        },
    }
}

fn label_selector(
    reader: &mut Reader<'_, '_>,
    name: &str,
    text: Spanned<&str>,
    selector: &str,
) -> Option<Selector> {
    match selector::parse(selector) {
        Ok(selector) if selector.is_empty() => {
            reader.report(invalid_annotation::empty_selector(reader.source, text.span, name));
            None
        }
        Ok(selector) => Some(selector),
        Err(problem) => {
            reader.report(invalid_annotation::selector(reader.source, text.span, name, &problem));
            None
        }
    }
}

fn backend_address(reader: &mut Reader<'_, '_>, text: Spanned<&str>) -> Option<Spanned<std::net::IpAddr>> {
    let problem = match invalid_address::parse(reader.source, text.span, text.value) {
        Ok(address) => match backend_address_range::check(reader.source, text.span, address) {
            None => return Some(Spanned::new(address, text.span)),
            Some(problem) => problem,
        },
        Err(problem) => *problem,
    };
    reader.report(problem);
    None
}
