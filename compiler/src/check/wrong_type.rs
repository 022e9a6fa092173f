//! `port: 80` is an integer where the API wants a string, and the API server refuses the whole policy.

use super::yaml_syntax::TEMPLATE;
use crate::diagnostic::shown;
use crate::diagnostic::{Diagnostic, Page, page};
use crate::hir::Field;
use crate::source::Source;
use crate::syntax::{Node, Type, Value};

pub(crate) const PAGE: Page = page!("wrong-type", Error, "a value has another type than its field");

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
        .help(fix(source, node, expected).unwrap_or_else(|| format!("write {described} here")))
}

/// A key that is not a string.
pub(crate) fn key(source: &Source, node: &Node<'_>) -> Diagnostic {
    PAGE.report("a key must be a string, not a list or an object")
        .at(source, node.span, "this is no string")
        .help("write a field's name here")
}

fn fix(source: &Source, node: &Node<'_>, expected: Expected) -> Option<String> {
    if source.slice(node.span).starts_with("{{") {
        return Some(TEMPLATE.to_owned());
    }
    match (expected, &node.value) {
        (Expected::String, Value::Scalar(scalar)) if scalar.type_of() != Type::Null => {
            Some(format!("put it in quotes: {}", shown(&format!("\"{}\"", scalar.text))))
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
