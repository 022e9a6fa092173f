//! Where each field of each policy was written, so that findings made long after compiling still point
//! into the manifest.
//!
//! Not part of the digest: moving a manifest changes no policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PolicyName;

/// A stretch of a text: lines and columns from 1, columns in characters, the end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
}

/// A stretch of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's name as it was given, `-` for standard input.
    pub file: Arc<str>,
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
}

/// A field path that [`Places`] knows, kept once for all policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldId(u32);

/// Policy and field path to place. Field paths are those of `kubectl explain`, with list indices:
/// `spec.redirectFrontend.addressMatcher.toPorts[0].port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    paths: Vec<Arc<str>>,
    ids: BTreeMap<Arc<str>, FieldId>,
    policies: BTreeMap<PolicyName, Written>,
}

/// Where the fields of one policy stand, which is in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) file: Arc<str>,
    pub(super) fields: Vec<(FieldId, Stretch)>,
}

impl Places {
    /// The id of a field path.
    pub fn field(&mut self, path: &str) -> FieldId {
        if let Some(id) = self.ids.get(path) {
            return *id;
        }
        // More paths than a u32 counts would need more manifests than the compiler reads.
        let id = FieldId(u32::try_from(self.paths.len()).unwrap_or(u32::MAX));
        let path = Arc::<str>::from(path);
        self.paths.push(Arc::clone(&path));
        self.ids.insert(path, id);
        id
    }

    /// Says where in a file the fields of a policy stand, each field once.
    pub fn insert(&mut self, policy: PolicyName, file: Arc<str>, fields: Vec<(FieldId, Stretch)>) {
        self.policies.insert(policy, Written { file, fields });
    }

    /// The place of a field, or of the nearest field around it that was written: a finding about a missing
    /// `spec.redirectBackend.toPorts` points at `spec.redirectBackend`.
    pub fn find(&self, policy: &PolicyName, field: &str) -> Option<Place> {
        let Written { file, fields } = self.policies.get(policy)?;
        let mut path = field;
        loop {
            let id = self.ids.get(path);
            if let Some((_, stretch)) = id.and_then(|id| fields.iter().find(|(field, _)| field == id)) {
                let Stretch { line, column, end_line, end_column } = *stretch;
                return Some(Place { file: Arc::clone(file), line, column, end_line, end_column });
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Where the policy as a whole stands: the value of its `metadata.name`.
    pub fn policy(&self, policy: &PolicyName) -> Option<Place> {
        self.find(policy, "metadata.name")
    }

    /// The same places with paths, and each policy's fields, in the order of the paths, so that equal places
    /// are written as equal bytes.
    pub(super) fn sorted(mut self) -> Self {
        let mut renumbered = vec![FieldId(0); self.paths.len()];
        for (id, new) in self.ids.values_mut().zip(0..) {
            if let Some(renumbered) = renumbered.get_mut(id.0 as usize) {
                *renumbered = FieldId(new);
            }
            *id = FieldId(new);
        }
        self.paths.sort_unstable();
        for Written { fields, .. } in self.policies.values_mut() {
            for (field, _) in &mut *fields {
                *field = renumbered.get(field.0 as usize).copied().unwrap_or(*field);
            }
            fields.sort_unstable_by_key(|(field, _)| *field);
        }
        self
    }

    /// The field paths, in the order of their ids.
    pub(super) fn paths(&self) -> &[Arc<str>] {
        &self.paths
    }

    /// The file and the fields of each policy, sorted by policy.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&PolicyName, &Written)> {
        self.policies.iter()
    }
}

impl FieldId {
    /// The index of the path in [`Places::paths`].
    pub(super) fn index(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> PolicyName {
        PolicyName { namespace: "default".into(), name: "p".into() }
    }

    fn stretch(line: u32) -> Stretch {
        Stretch { line, column: 1, end_line: line, end_column: 2 }
    }

    fn place(line: u32) -> Place {
        Place { file: "a.yaml".into(), line, column: 1, end_line: line, end_column: 2 }
    }

    #[test]
    fn the_order_of_mention_is_forgotten() {
        let places = |paths: [(&str, u32); 2]| {
            let mut places = Places::default();
            let fields = paths.map(|(path, line)| (places.field(path), stretch(line)));
            places.insert(policy(), "a.yaml".into(), fields.into());
            places
        };
        let (one, other) = (places([("spec", 2), ("metadata", 1)]), places([("metadata", 1), ("spec", 2)]));
        assert_ne!(one, other);
        assert_eq!(one.clone().sorted(), other.sorted());
        assert_eq!(one.sorted().find(&policy(), "spec"), Some(place(2)));
    }

    #[test]
    fn a_missing_field_is_found_at_the_field_around_it() {
        let mut places = Places::default();
        let field = places.field("spec.redirectBackend");
        places.insert(policy(), "a.yaml".into(), vec![(field, stretch(3))]);
        assert_eq!(places.find(&policy(), "spec.redirectBackend.toPorts[0].port"), Some(place(3)));
        assert_eq!(places.find(&policy(), "metadata.name"), None);
    }
}
