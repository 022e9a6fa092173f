//! Reading the fields of an object, with the reports that every object can give: wrong types, unknown,
//! missing and doubled fields.

use std::collections::BTreeMap;

use lrpc_schema::diagnostic::Field;

use super::places::Recorder;
use crate::check::wrong_type::{self, Expected};
use crate::check::{duplicate_key, input_limit, missing_field, unknown_field};
use crate::diagnostic::Diagnostic;
use crate::hir::Spanned;
use crate::names::nearest;
use crate::source::{Source, Span};
use crate::syntax::{Node, Tree, Type, Value};

/// Keys up to which doubles are looked for by comparing each with each.
const FEW: usize = 16;

/// The reading of one policy.
pub(super) struct Reader<'t, 's> {
    pub(super) source: &'t Source,
    pub(super) tree: &'t Tree<'s>,
    pub(super) places: &'t mut Recorder<'s>,
    pub(super) problems: Vec<Diagnostic>,
}

/// The fields of an object whose keys have been looked at.
#[derive(Clone, Copy)]
pub(super) struct Object<'t, 's> {
    pub(super) entries: &'t [[Node<'s>; 2]],
    /// Where a report about what is not in it points: the key that it is the value of, or its first key.
    pub(super) at: Span,
}

impl<'t, 's> Object<'t, 's> {
    /// The key and the value of a field that says something (`null` says nothing).
    pub(super) fn get(&self, name: &str) -> Option<(&'t Node<'s>, &'t Node<'s>)> {
        let [key, value] = self.entries.iter().find(|[key, _]| key.text() == Some(name))?;
        (!value.is_null()).then_some((key, value))
    }
}

impl<'t, 's> Reader<'t, 's> {
    /// Keeps a problem, as long as anybody could want to read it.
    pub(super) fn report(&mut self, problem: Diagnostic) {
        if self.problems.len() <= input_limit::PROBLEMS {
            self.problems.push(problem);
        }
    }

    pub(super) fn place(&mut self, field: Field, span: Span) {
        self.places.place(field, span);
    }

    /// The fields of an object, of which only the known ones may be there.
    pub(super) fn object(
        &mut self,
        node: &'t Node<'s>,
        field: &Field,
        at: Span,
        known: &[&str],
    ) -> Option<Object<'t, 's>> {
        let object = self.map(node, field, at)?;
        let keys = || object.entries.iter().filter_map(|[key, _]| key.text());
        let written: Vec<_> = known.iter().copied().filter(|known| keys().any(|key| key == *known)).collect();
        let parent = field.to_string();
        for [key, _] in object.entries {
            if let Some(text) = key.text().filter(|text| !known.contains(text)) {
                self.report(unknown_field::report(self.source, text, key.span, &parent, known, &written));
            }
        }
        Some(object)
    }

    /// The entries of an object whose keys are the user's own.
    pub(super) fn map(&mut self, node: &'t Node<'s>, field: &Field, at: Span) -> Option<Object<'t, 's>> {
        let Value::Mapping(children) = node.value else {
            self.report(wrong_type::report(self.source, node, field, Expected::Object));
            return None;
        };
        let entries = self.tree.entries(children);
        for [key, _] in entries.iter().filter(|[key, _]| key.scalar().is_none()) {
            self.report(wrong_type::key(self.source, key));
        }
        self.doubles(entries);
        Some(Object { entries, at })
    }

    fn doubles(&mut self, entries: &'t [[Node<'s>; 2]]) {
        if entries.len() <= FEW {
            for (index, [key, _]) in entries.iter().enumerate() {
                let Some(text) = key.text() else { continue };
                let first = entries.iter().take(index).find(|[first, _]| first.text() == Some(text));
                if let Some([first, _]) = first {
                    self.report(duplicate_key::report(self.source, text, first.span, key.span));
                }
            }
            return;
        }
        let mut seen = BTreeMap::new();
        for [key, _] in entries {
            let Some(text) = key.text() else { continue };
            let first = *seen.entry(text).or_insert(key.span);
            if first != key.span {
                self.report(duplicate_key::report(self.source, text, first, key.span));
            }
        }
    }

    /// A field that must be there.
    pub(super) fn required(
        &mut self,
        object: &Object<'t, 's>,
        name: &str,
        path: &Field,
        example: &str,
    ) -> Option<(&'t Node<'s>, &'t Node<'s>)> {
        let found = object.get(name);
        // A field under a misspelt name has been reported as unknown.
        let is_misspelt = |[key, _]: &[Node<'_>; 2]| {
            key.text().is_some_and(|text| text != name && nearest(text, [name]).is_some())
        };
        if found.is_none() && !object.entries.iter().any(is_misspelt) {
            // A key without a value is nearer to what is missing than the object around it.
            let written = object.entries.iter().find(|[key, _]| key.text() == Some(name));
            let at = written.map_or(object.at, |[key, _]| key.span);
            self.report(missing_field::report(self.source, at, &path.to_string(), example));
        }
        found
    }

    /// A string whose place is remembered, for findings that come after the compile.
    pub(super) fn string(&mut self, node: &'t Node<'s>, field: Field) -> Option<Spanned<&'t str>> {
        let text = self.text(node, &field);
        self.place(field, node.span);
        text
    }

    /// A string.
    pub(super) fn text(&mut self, node: &'t Node<'s>, field: &Field) -> Option<Spanned<&'t str>> {
        let text =
            node.scalar().filter(|scalar| scalar.type_of() == Type::String).map(|scalar| &*scalar.text);
        if text.is_none() {
            self.report(wrong_type::report(self.source, node, field, Expected::String));
        }
        text.map(|text| Spanned::new(text, node.span))
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, node: &'t Node<'s>, field: Field) -> Option<bool> {
        let value = node.scalar().and_then(|scalar| match scalar.type_of() {
            Type::Bool(value) => Some(value),
            Type::Null | Type::Integer | Type::Float | Type::String => None,
        });
        if value.is_none() {
            self.report(wrong_type::report(self.source, node, &field, Expected::Boolean));
        }
        self.place(field, node.span);
        value
    }

    /// The elements of a list.
    pub(super) fn list(&mut self, node: &'t Node<'s>, field: &Field) -> Option<&'t [Node<'s>]> {
        let elements = self.tree.list(node);
        if elements.is_none() {
            self.report(wrong_type::report(self.source, node, field, Expected::List));
        }
        elements
    }
}
