//! One document as a tree in an arena.
//!
//! The children of a collection stand side by side in the arena, those of a mapping as key, value, key,
//! value. An alias is the node that it names under a span of its own, so the arena holds it once, however
//! often it is used.

use super::Scalar;
use crate::source::Span;

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node<'s> {
    /// A scalar with its quotes; a collection from its first to its last child; an alias where it is used.
    pub(crate) span: Span,
    /// The number of nodes in it, itself and what aliases repeat included.
    pub(crate) size: u32,
    pub(crate) value: Value<'s>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value<'s> {
    Scalar(Scalar<'s>),
    Sequence(Children),
    Mapping(Children),
}

/// A run of the arena.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Children {
    start: u32,
    end: u32,
}

/// The arena; empty before the first document.
#[derive(Debug, Default)]
pub(crate) struct Tree<'s> {
    nodes: Vec<Node<'s>>,
}

impl<'s> Tree<'s> {
    /// The elements of a sequence.
    pub(crate) fn elements(&self, children: Children) -> &[Node<'s>] {
        self.nodes.get(children.start as usize..children.end as usize).unwrap_or_default()
    }

    /// The keys and values of a mapping.
    pub(crate) fn entries(&self, children: Children) -> &[[Node<'s>; 2]] {
        self.elements(children).as_chunks().0
    }

    /// The value of a field; `None` where there is none, or where the node is no mapping.
    pub(crate) fn field(&self, node: &Node<'_>, name: &str) -> Option<&Node<'s>> {
        let Value::Mapping(children) = node.value else { return None };
        self.entries(children).iter().find(|[key, _]| key.text() == Some(name)).map(|[_, value]| value)
    }

    /// The elements of a node; `None` where it is no sequence.
    pub(crate) fn list(&self, node: &Node<'_>) -> Option<&[Node<'s>]> {
        match node.value {
            Value::Sequence(children) => Some(self.elements(children)),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    /// Where a report about a whole node points: of a mapping its first entry, so that it underlines one line.
    pub(crate) fn head(&self, node: &Node<'_>) -> Span {
        let Value::Mapping(children) = node.value else { return node.span };
        self.entries(children).first().map_or(node.span, |[key, value]| key.span.to(value.span))
    }

    /// Whether a merge key can have the value: a mapping, or a list of them.
    pub(super) fn is_mergeable(&self, value: &Node<'s>) -> bool {
        match value.value {
            Value::Scalar(_) => false,
            Value::Mapping(_) => true,
            Value::Sequence(children) => {
                self.elements(children).iter().all(|element| matches!(element.value, Value::Mapping(_)))
            }
        }
    }

    /// The entries of the mappings in the value of a merge key.
    pub(super) fn merged_entries(&self, value: &Node<'s>) -> impl Iterator<Item = &[Node<'s>; 2]> {
        let (own, listed) = match value.value {
            Value::Scalar(_) => (None, None),
            Value::Mapping(children) => (Some(children), None),
            Value::Sequence(children) => (None, Some(children)),
        };
        let listed = listed.map_or(&[][..], |children| self.elements(children)).iter();
        let mappings = listed.filter_map(|element| match element.value {
            Value::Mapping(children) => Some(children),
            Value::Scalar(_) | Value::Sequence(_) => None,
        });
        own.into_iter().chain(mappings).flat_map(|children| self.entries(children))
    }

    /// Moves finished nodes into the arena as the children of one collection.
    pub(super) fn adopt(&mut self, children: impl Iterator<Item = Node<'s>>) -> Children {
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        let start = narrow(self.nodes.len());
        self.nodes.extend(children);
        Children { start, end: narrow(self.nodes.len()) }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn clear(&mut self) {
        self.nodes.clear();
    }
}

impl<'s> Node<'s> {
    /// The scalar in it.
    pub(crate) fn scalar(&self) -> Option<&Scalar<'s>> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The text of a scalar, of whatever type.
    pub(crate) fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| &*scalar.text)
    }

    /// `<<` without quotes, as a key.
    pub(super) fn is_merge_key(&self) -> bool {
        self.scalar().is_some_and(|scalar| !scalar.is_string && scalar.text == "<<")
    }

    /// Nothing was written: a missing value, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.type_of() == super::Type::Null)
    }
}
