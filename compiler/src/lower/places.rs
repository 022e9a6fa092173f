//! Remembers where the fields of a file's policies stand, in the form in which an image keeps it.

use std::collections::BTreeMap;

use lrpc_schema::diagnostic::Field;
use lrpc_schema::image::{FieldId, FilePlaces, Stretch};

use crate::source::{Source, Span};

/// The places of one file, in the making.
pub(crate) struct Recorder<'s> {
    source: &'s Source,
    places: FilePlaces,
    ids: BTreeMap<Field, FieldId>,
    /// The fields of the policy before, up to where this one has others: neighbours mostly have the same
    /// fields in the same order, which spares looking them up.
    before: Vec<(Field, FieldId)>,
    /// The fields of this policy.
    fields: Vec<(Field, Span)>,
    /// The line, from 0, on which the last field began.
    line: usize,
}

impl<'s> Recorder<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        let places = FilePlaces::new(source.name().clone());
        Self { source, places, ids: BTreeMap::new(), before: Vec::new(), fields: Vec::new(), line: 0 }
    }

    /// Says where a field of this policy stands.
    pub(super) fn place(&mut self, field: Field, span: Span) {
        self.fields.push((field, span));
    }

    /// Ends this policy and gives its number in the file. Of one with an error nothing is kept: no image has it.
    pub(super) fn end_policy(&mut self, is_sound: bool) -> u32 {
        let mut fields = std::mem::take(&mut self.fields);
        if is_sound {
            for (index, (field, span)) in fields.drain(..).enumerate() {
                self.keep(index, field, span);
            }
        }
        fields.clear();
        self.fields = fields;
        self.places.end_policy()
    }

    fn keep(&mut self, index: usize, field: Field, span: Span) {
        let known = self.before.get(index).filter(|(known, _)| *known == field).map(|(_, id)| *id);
        let id = known.unwrap_or_else(|| self.look_up(index, field));
        let (start, end) = self.source.positions_near(&span.range(), &mut self.line);
        let stretch =
            Stretch { line: start.line, column: start.column, end_line: end.line, end_column: end.column };
        self.places.push(id, stretch);
    }

    fn look_up(&mut self, index: usize, field: Field) -> FieldId {
        let known = self.ids.get(&field).copied();
        let id = known.unwrap_or_else(|| {
            let id = self.places.field(field.to_string());
            self.ids.insert(field.clone(), id);
            id
        });
        self.before.truncate(index);
        self.before.push((field, id));
        id
    }

    /// The places of all policies.
    pub(crate) fn finish(mut self) -> FilePlaces {
        self.places.sort();
        self.places
    }
}
