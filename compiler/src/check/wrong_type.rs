//! `port: 80` is an integer where the API wants a string, and the API server refuses the whole policy.

use lrpc_schema::diagnostic::Field;

use super::{invalid_address, invalid_annotation, invalid_port_name, invalid_selector};
use super::{port_not_a_number, unknown_protocol};
use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::names::is_port_name;
use crate::source::Source;
use crate::syntax::{Node, Type, Value};

pub(crate) const PAGE: Page =
    page!("wrong-type", Error, since "0.1.0", "a value has another type than its field");

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    String,
    Boolean,
    Object,
    List,
}

impl Expected {
    fn described(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Boolean => "a boolean",
            Self::Object => "an object",
            Self::List => "a list",
        }
    }
}

pub(crate) fn report(source: &Source, node: &Node<'_>, field: &Field, expected: Expected) -> Diagnostic {
    let found = match &node.value {
        Value::Scalar(scalar) => scalar.type_of().described(),
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "an object",
    };
    let described = expected.described();
    PAGE.report(format!("`{field}` must be {described}, not {found}"))
        .at(source, node.span, format!("this is {found}"))
        .help(fix(node, field, expected).unwrap_or_else(|| format!("write {described} here")))
}

/// A key that is not a string.
pub(crate) fn key(source: &Source, node: &Node<'_>) -> Diagnostic {
    PAGE.report("a key must be a string, not a list or an object")
        .at(source, node.span, "this is no string")
        .help("write a field's name here")
}

fn fix(node: &Node<'_>, field: &Field, expected: Expected) -> Option<String> {
    match (expected, &node.value) {
        (Expected::String, Value::Scalar(scalar)) if scalar.type_of() != Type::Null => {
            Some(string(field, &scalar.text))
        }
        (Expected::Boolean, Value::Scalar(scalar)) => match scalar.text.to_ascii_lowercase().as_str() {
            value @ ("true" | "false") => Some(format!("write `{value}` without quotes")),
            _ => Some("write `true` or `false`".to_owned()),
        },
        (Expected::List, Value::Mapping(_)) => {
            Some("make it a list of one element: begin it with `- `".to_owned())
        }
        _ => None,
    }
}

/// What to write instead of a number or a word that YAML does not take for a string: something that the
/// field can hold, which in quotes is not always what stands there.
fn string(field: &Field, text: &str) -> String {
    match field {
        Field::Element(_, _, ".port") if !port_not_a_number::is_port(text) => port_not_a_number::help(text),
        Field::Element(_, _, ".protocol") => unknown_protocol::help(text),
        Field::Element(_, _, ".operator") => invalid_selector::ONE_OF.to_owned(),
        Field::Element(_, _, ".name") if !is_port_name(&text.to_ascii_lowercase()) => {
            invalid_port_name::SYNTAX.to_owned()
        }
        Field::Fixed(invalid_address::FRONTEND) => invalid_address::help(invalid_address::FRONTEND),
        Field::Key(_, key) if key == invalid_address::BACKEND => {
            invalid_address::help(invalid_address::BACKEND)
        }
        Field::Key(_, key) => match invalid_annotation::words(key) {
            words if words.is_empty() || words.contains(&text) => quoted(text),
            words => invalid_annotation::one_of(words),
        },
        Field::Fixed(_) | Field::Element(..) | Field::Nested(..) => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    format!("put it in quotes: {}", shown(&format!("\"{text}\"")))
}
