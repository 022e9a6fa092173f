//! The `lrpc.dev/` annotations (L1, L5, L6, L7, L15); those of others are theirs.

use std::ops::Range;

use lrpc_schema::diagnostic::Field;
use lrpc_schema::image::{AgentAddress, Clients, Fallback, Selector};

use super::object::Reader;
use crate::check::{backend_address_range, invalid_address, invalid_annotation, unknown_annotation};
use crate::hir::{Annotations, Spanned};
use crate::selector;
use crate::source::{Source, Span};
use crate::syntax::Node;

const FALLBACK: &str = "lrpc.dev/fallback";
const CLIENTS: &str = "lrpc.dev/clients";
const NODES: &str = "lrpc.dev/nodes";
const BACKEND_ADDRESS: &str = invalid_address::BACKEND;
const SHADOW_SERVICE: &str = "lrpc.dev/shadow-service";
/// What stands before the selector of clients (L6).
const SELECTOR: &str = "selector:";
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
            reader.text(value, &Field::Key(path, name.to_owned().into()));
            continue;
        }
        if !KNOWN.contains(&name) {
            reader.report(unknown_annotation::report(reader.source, key.span, name, &KNOWN));
            continue;
        }
        if let Some(text) = reader.string(value, Field::Key(path, name.to_owned().into())) {
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
                None => unknown_word(reader, name, text),
            }
        }
        SHADOW_SERVICE => match text.value {
            "true" => annotations.shadow_service = true,
            "false" => {}
            _ => unknown_word(reader, name, text),
        },
        CLIENTS => annotations.clients = clients(reader, text),
        NODES => annotations.nodes = label_selector(reader, name, text, 0),
        _ => annotations.backend_address = backend_address(reader, text),
    }
}

fn unknown_word(reader: &mut Reader<'_, '_>, name: &str, text: Spanned<&str>) {
    reader.report(invalid_annotation::report(reader.source, text.span, name, text.value));
}

fn clients(reader: &mut Reader<'_, '_>, text: Spanned<&str>) -> Clients {
    match text.value {
        "all" => Clients::All,
        "pods" => Clients::Pods,
        "all-pods" => Clients::AllPods,
        "namespace" => Clients::Namespace,
        value => match value.strip_prefix(SELECTOR) {
            Some(_) => {
                label_selector(reader, CLIENTS, text, SELECTOR.len()).map_or(Clients::All, Clients::Selector)
            }
            None => {
                unknown_word(reader, CLIENTS, text);
                Clients::All
            }
        },
    }
}

/// The selector that begins at a byte of the text.
fn label_selector(
    reader: &mut Reader<'_, '_>,
    name: &str,
    text: Spanned<&str>,
    begin: usize,
) -> Option<Selector> {
    match selector::parse(text.value.get(begin..).unwrap_or_default()) {
        Ok(selector) if selector.is_empty() => {
            reader.report(invalid_annotation::empty_selector(reader.source, text.span, name));
            None
        }
        Ok(selector) => Some(selector),
        Err(problem) => {
            let selector::Problem { message, range } = problem;
            let span = part(reader.source, text, begin + range.start..begin + range.end);
            reader.report(invalid_annotation::selector(reader.source, span, name, &message));
            None
        }
    }
}

/// The place of some bytes of a text, where it is written as it is read: plain, or in quotes without escapes.
/// Else the place of the whole.
fn part(source: &Source, text: Spanned<&str>, range: Range<usize>) -> Span {
    let written = source.slice(text.span);
    let before = match written.find(text.value) {
        Some(before @ 0..=1) if written.len() == text.value.len() + 2 * before => before,
        Some(_) | None => return text.span,
    };
    let start = text.span.range().start + before;
    Span::new(start + range.start, start + range.end)
}

fn backend_address(reader: &mut Reader<'_, '_>, text: Spanned<&str>) -> Option<Spanned<AgentAddress>> {
    let problem = match invalid_address::parse(reader.source, text.span, BACKEND_ADDRESS, text.value) {
        Ok(address) => match AgentAddress::new(address) {
            Ok(address) => return Some(Spanned::new(address, text.span)),
            Err(_) => backend_address_range::report(reader.source, text.span, address),
        },
        Err(problem) => *problem,
    };
    reader.report(problem);
    None
}
