//! `toPorts` lists (L2).

use lrpc_schema::diagnostic::Field;
use lrpc_schema::image::{Port, Protocol};

use super::object::{Object, Reader};
use crate::check::{
    ignored_port_name, invalid_port_name, missing_port_name, no_ports, port_not_a_number, port_octal,
    port_out_of_range, port_refused_by_crd, port_zero, unknown_protocol, upper_case_port_name,
};
use crate::diagnostic::Severity;
use crate::hir::{PortInfo, PortName, Ports, Spanned};
use crate::names::is_port_name;
use crate::syntax::Node;

/// The number of ports that a matcher or a backend lists, right or wrong.
pub(super) fn count(reader: &Reader<'_, '_>, parent: &Node<'_>) -> usize {
    let list = reader.tree.field(parent, "toPorts").and_then(|list| reader.tree.list(list));
    list.map_or(0, <[_]>::len)
}

/// The ports of a list; an empty one is only right where it means all ports.
pub(super) fn lower<'t, 's>(
    reader: &mut Reader<'t, 's>,
    key: &'t Node<'s>,
    node: &'t Node<'s>,
    path: &'static str,
    names_required: bool,
    may_be_empty: bool,
) -> Ports {
    reader.place(Field::Fixed(path), key.span);
    let Some(elements) = reader.list(node, &Field::Fixed(path)) else { return Ports::default() };
    if elements.is_empty() && !may_be_empty {
        reader.report(no_ports::report(reader.source, node.span, path));
        return Ports::default();
    }
    let problems = reader.problems.len();
    let list = elements
        .iter()
        .zip(0..)
        .map(|(node, index)| port(reader, node, path, index, names_required))
        .collect();
    let is_whole = !reader.problems.iter().skip(problems).any(|problem| problem.severity == Severity::Error);
    Ports { list, is_whole }
}

fn port<'t, 's>(
    reader: &mut Reader<'t, 's>,
    node: &'t Node<'s>,
    path: &'static str,
    index: u32,
    names_required: bool,
) -> PortInfo {
    let field = |rest| Field::Element(path, index, rest);
    let at = reader.tree.head(node);
    reader.place(field(""), at);
    let mut info = PortInfo { at, port: None, protocol: None, name: PortName::Absent };
    let Some(object) = reader.object(node, &field(""), at, &["port", "protocol", "name"]) else {
        info.name = PortName::Wrong;
        return info;
    };
    info.port = reader
        .required(&object, "port", &field(".port"), "port: \"80\"")
        .and_then(|(_, node)| reader.string(node, field(".port")))
        .and_then(|text| number(reader, text));
    info.protocol = reader
        .required(&object, "protocol", &field(".protocol"), "protocol: TCP")
        .and_then(|(_, node)| reader.string(node, field(".protocol")))
        .and_then(|text| protocol(reader, text));
    info.name = name(reader, &object, &field, names_required);
    info
}

fn number(reader: &mut Reader<'_, '_>, text: Spanned<&str>) -> Option<Spanned<Port>> {
    let (source, span, digits) = (reader.source, text.span, text.value);
    let problem = if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        port_not_a_number::report(source, span, digits)
    } else if digits.bytes().all(|byte| byte == b'0') {
        port_zero::report(source, span)
    } else if digits.starts_with('0') {
        port_octal::report(source, span, digits)
    } else if let Some(port) = digits.parse().ok().and_then(Port::new) {
        reader.problems.extend(port_refused_by_crd::check(source, span, port));
        return Some(Spanned::new(port, span));
    } else {
        port_out_of_range::report(source, span, digits)
    };
    reader.report(problem);
    None
}

fn protocol(reader: &mut Reader<'_, '_>, text: Spanned<&str>) -> Option<Spanned<Protocol>> {
    let protocol = text.value.parse().ok();
    if protocol.is_none() {
        reader.report(unknown_protocol::report(reader.source, text.span, text.value));
    }
    protocol.map(|protocol| Spanned::new(protocol, text.span))
}

fn name<'t, 's>(
    reader: &mut Reader<'t, 's>,
    object: &Object<'t, 's>,
    field: &dyn Fn(&'static str) -> Field,
    required: bool,
) -> PortName {
    let Some((_, node)) = object.get("name") else {
        if required {
            reader.report(missing_port_name::report(reader.source, object.at, &field("").to_string()));
            return PortName::Wrong;
        }
        return PortName::Absent;
    };
    let Some(text) = reader.string(node, field(".name")) else { return PortName::Wrong };
    let (source, span) = (reader.source, text.span);
    let lower = text.value.to_ascii_lowercase();
    if !is_port_name(&lower) {
        if required {
            reader.report(invalid_port_name::report(source, span, text.value));
            return PortName::Wrong;
        }
        reader.report(ignored_port_name::report(source, span, text.value));
    } else if lower != text.value {
        reader.report(upper_case_port_name::report(source, span, text.value));
    }
    PortName::Written(Spanned::new(lower, span))
}
