//! `localEndpointSelector`: `matchLabels` and `matchExpressions` become one canonical selector (L2).

use lrpc_schema::diagnostic::Field;
use lrpc_schema::image::{Operator, Requirement, Selector};

use super::object::Reader;
use crate::check::{empty_selector, invalid_label, invalid_selector};
use crate::hir::Spanned;
use crate::names::{is_label_key, is_label_value};
use crate::selector::without_source;
use crate::syntax::Node;

pub(super) const PATH: &str = "spec.redirectBackend.localEndpointSelector";
const LABELS: &str = "spec.redirectBackend.localEndpointSelector.matchLabels";
const EXPRESSIONS: &str = "spec.redirectBackend.localEndpointSelector.matchExpressions";

pub(super) fn lower<'t, 's>(
    reader: &mut Reader<'t, 's>,
    key: &'t Node<'s>,
    node: &'t Node<'s>,
) -> Option<Spanned<Selector>> {
    let path = Field::Fixed(PATH);
    reader.place(path.clone(), key.span);
    let problems = reader.problems.len();
    let object = reader.object(node, &path, key.span, &["matchLabels", "matchExpressions"])?;
    let mut requirements = Vec::new();
    if let Some((key, node)) = object.get("matchLabels") {
        match_labels(reader, key, node, &mut requirements);
    }
    if let Some((key, node)) = object.get("matchExpressions") {
        let field = Field::Fixed(EXPRESSIONS);
        reader.place(field.clone(), key.span);
        for (node, index) in reader.list(node, &field).unwrap_or_default().iter().zip(0..) {
            requirements.extend(expression(reader, node, index));
        }
    }
    if reader.problems.len() > problems {
        return None;
    }
    if requirements.is_empty() {
        reader.report(empty_selector::report(reader.source, node.span.max(key.span)));
    }
    Some(Spanned::new(Selector::new(requirements), node.span))
}

fn match_labels<'t, 's>(
    reader: &mut Reader<'t, 's>,
    key: &'t Node<'s>,
    node: &'t Node<'s>,
    requirements: &mut Vec<Requirement>,
) {
    let field = Field::Fixed(LABELS);
    reader.place(field.clone(), key.span);
    let labels = reader.map(node, &field, key.span);
    for [key, value] in labels.map_or(&[][..], |labels| labels.entries) {
        let Some(label) = key.text() else { continue };
        let label = label_key(reader, Spanned::new(label, key.span));
        let field = Field::Key(LABELS, key.text().unwrap_or_default().to_owned().into());
        let value = reader.string(value, field).and_then(|value| label_value(reader, value));
        if let (Some(label), Some(value)) = (label, value) {
            requirements.extend(Requirement::new(label, Operator::In, vec![value]));
        }
    }
}

fn expression<'t, 's>(reader: &mut Reader<'t, 's>, node: &'t Node<'s>, index: u32) -> Option<Requirement> {
    let field = |rest| Field::Element(EXPRESSIONS, index, rest);
    let at = reader.tree.head(node);
    reader.place(field(""), at);
    let object = reader.object(node, &field(""), at, &["key", "operator", "values"])?;
    let key = reader
        .required(&object, "key", &field(".key"), "key: app")
        .and_then(|(_, node)| reader.string(node, field(".key")))
        .and_then(|key| label_key(reader, key));
    let operator = reader
        .required(&object, "operator", &field(".operator"), "operator: In")
        .and_then(|(_, node)| reader.string(node, field(".operator")));
    let mut values = Vec::new();
    let written = object.get("values");
    if let Some((key, node)) = written {
        reader.place(field(".values"), key.span);
        for (node, at) in reader.list(node, &field(".values"))?.iter().zip(0..) {
            let value = reader.text(node, &Field::Nested(EXPRESSIONS, index, ".values", at));
            values.extend(value.and_then(|value| label_value(reader, value)));
        }
    }
    let operator = operator?;
    let count = written.map_or(0, |(_, node)| node.size - 1);
    let known = match operator.value {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        unknown => {
            reader.report(invalid_selector::operator(reader.source, operator.span, unknown));
            return None;
        }
    };
    match (known, count) {
        (Operator::In | Operator::NotIn, 0) => {
            reader.report(invalid_selector::no_values(reader.source, operator.span, operator.value));
            None
        }
        (Operator::Exists | Operator::DoesNotExist, 1..) => {
            let at = written.map_or(at, |(key, _)| key.span);
            reader.report(invalid_selector::values(reader.source, at, operator.value));
            None
        }
        // What is wrong with key or values has been reported.
        (known, _) => Requirement::new(key?, known, values).ok(),
    }
}

/// A label key without the source that Cilium writes before it.
fn label_key(reader: &mut Reader<'_, '_>, key: Spanned<&str>) -> Option<String> {
    let plain = without_source(key.value);
    if !is_label_key(plain) {
        reader.report(invalid_label::key(reader.source, key.span, key.value));
        return None;
    }
    Some(plain.to_owned())
}

fn label_value(reader: &mut Reader<'_, '_>, value: Spanned<&str>) -> Option<String> {
    if !is_label_value(value.value) {
        reader.report(invalid_label::value(reader.source, value.span, value.value));
        return None;
    }
    Some(value.value.to_owned())
}
