//! Where each field of each policy was written, so that findings made long after compiling still point
//! into the manifest.
//!
//! [`FilePlaces`] are gathered while a file is parsed, and [`Places`] put those of all files together
//! without copying them. Not part of the digest: moving a manifest changes no policy.

use std::sync::Arc;

use super::{AllowedWarning, PolicyName};

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

/// A field path, kept once for all policies: its number in the sorted list of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldId(u32);

impl FieldId {
    pub(super) fn new(number: u32) -> Self {
        Self(number)
    }

    /// The index of the path in [`Places::paths`].
    pub(super) fn index(self) -> u32 {
        self.0
    }
}

/// A field of a policy and where it stands.
type Located = (FieldId, Stretch);

/// Where the fields of the policies of one file stand. Field paths are those of `kubectl explain`, with list
/// indices: `spec.redirectFrontend.addressMatcher.toPorts[0].port`.
#[derive(Clone, Debug)]
pub struct FilePlaces {
    file: Arc<str>,
    /// The paths by their numbers; once the file is part of [`Places`], those have them.
    paths: Vec<Arc<str>>,
    /// The fields of one policy after the other.
    fields: Vec<Located>,
    /// Where the fields of each policy end.
    ends: Vec<u32>,
}

impl FilePlaces {
    /// Nothing yet of a file, by its name as it was given.
    pub fn new(file: Arc<str>) -> Self {
        Self { file, paths: Vec::new(), fields: Vec::new(), ends: Vec::new() }
    }

    /// A number for a field path that has none.
    pub fn field(&mut self, path: String) -> FieldId {
        let id = FieldId(count(self.paths.len()));
        self.paths.push(path.into());
        id
    }

    /// Says where a field of the next policy stands, each field once.
    pub fn push(&mut self, field: FieldId, stretch: Stretch) {
        self.fields.push((field, stretch));
    }

    /// Ends a policy and gives its number in this file.
    pub fn end_policy(&mut self) -> u32 {
        let number = count(self.ends.len());
        self.ends.push(count(self.fields.len()));
        number
    }

    /// Numbers the paths in their order, and sorts each policy's fields by them.
    pub fn sort(&mut self) {
        let mut sorted: Vec<(Arc<str>, u32)> = self.paths.drain(..).zip(0..).collect();
        sorted.sort_unstable();
        let mut new = vec![FieldId(0); sorted.len()];
        for ((_, old), id) in sorted.iter().zip(0..) {
            if let Some(new) = new.get_mut(*old as usize) {
                *new = FieldId(id);
            }
        }
        self.paths.extend(sorted.into_iter().map(|(path, _)| path));
        self.renumber(&new);
        let mut start = 0;
        for end in self.ends.iter().map(|end| *end as usize) {
            if let Some(policy) = self.fields.get_mut(start..end) {
                policy.sort_unstable_by_key(|(field, _)| *field);
            }
            start = end;
        }
        self.fields.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    fn renumber(&mut self, new: &[FieldId]) {
        if new.iter().zip(0..).all(|(id, old)| id.0 == old) {
            return;
        }
        for (field, _) in &mut self.fields {
            *field = new.get(field.0 as usize).copied().unwrap_or(*field);
        }
    }

    fn policy(&self, number: u32) -> &[Located] {
        let number = number as usize;
        let end = |number: usize| self.ends.get(number).map_or(0, |end| *end as usize);
        let start = number.checked_sub(1).map_or(0, end);
        self.fields.get(start..end(number)).unwrap_or_default()
    }
}

/// Policy and field path to place, over all files.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Sorted; a field's id is its path's index.
    paths: Vec<Arc<str>>,
    files: Vec<FilePlaces>,
    /// Sorted by policy.
    policies: Vec<Written>,
    /// Sorted.
    allowed: Vec<AllowedWarning>,
}

/// Where a policy stands.
#[derive(Clone, Debug)]
struct Written {
    policy: PolicyName,
    /// Index in [`Places::files`].
    file: u32,
    /// Number in the file.
    number: u32,
}

impl Places {
    /// The same with the warnings that comments allow.
    pub fn allowing(self, mut allowed: Vec<AllowedWarning>) -> Self {
        allowed.sort_unstable();
        allowed.dedup();
        Self { allowed, ..self }
    }

    pub(super) fn allowed_warnings(&self) -> &[AllowedWarning] {
        &self.allowed
    }

    /// Puts files together, each of them [sorted](FilePlaces::sort); `policies` says of each policy in which
    /// of the files it stands, and its number there.
    pub fn new(
        mut files: Vec<FilePlaces>,
        policies: impl IntoIterator<Item = (PolicyName, usize, u32)>,
    ) -> Self {
        let mut paths: Vec<Arc<str>> = Vec::new();
        let mut before: &[Arc<str>] = &[];
        for file in &files {
            // Neighbours mostly have the same paths.
            if *file.paths != *before {
                paths.extend(file.paths.iter().cloned());
                before = &file.paths;
            }
        }
        paths.sort_unstable();
        paths.dedup();
        for file in &mut files {
            let id = |path: &Arc<str>| FieldId(count(paths.binary_search(path).unwrap_or_default()));
            let new: Vec<FieldId> = file.paths.drain(..).map(|path| id(&path)).collect();
            file.renumber(&new);
        }
        let mut places = Self::numbered(paths, files, policies);
        places.policies.sort_by(|a, b| a.policy.cmp(&b.policy));
        places
    }

    /// As [`new`](Self::new), of what is in order: `paths`, whose numbers the files have, and `policies`.
    pub(super) fn numbered(
        paths: Vec<Arc<str>>,
        files: Vec<FilePlaces>,
        policies: impl IntoIterator<Item = (PolicyName, usize, u32)>,
    ) -> Self {
        let policies = policies.into_iter();
        let written = policies.map(|(policy, file, number)| Written { policy, file: count(file), number });
        Self { paths, files, policies: written.collect(), allowed: Vec::new() }
    }

    /// The place of a field, or of the nearest field around it that was written: a finding about a missing
    /// `spec.redirectBackend.toPorts` points at `spec.redirectBackend`.
    pub fn find(&self, policy: &PolicyName, field: &str) -> Option<Place> {
        let (file, stretch) = self.stretch(policy, field)?;
        let Stretch { line, column, end_line, end_column } = stretch;
        let file = Arc::clone(&self.files.get(file)?.file);
        Some(Place { file, line, column, end_line, end_column })
    }

    /// As [`find`](Self::find), with the number of the file among those that were put together.
    pub fn stretch(&self, policy: &PolicyName, field: &str) -> Option<(usize, Stretch)> {
        let at = self.policies.binary_search_by(|written| written.policy.cmp(policy)).ok()?;
        let written = self.policies.get(at)?;
        let file = written.file as usize;
        let fields = self.files.get(file)?.policy(written.number);
        let mut path = field;
        loop {
            let id = self.paths.binary_search_by(|known| (**known).cmp(path)).ok();
            let at = id.and_then(|id| fields.binary_search_by_key(&id, |(field, _)| field.0 as usize).ok());
            if let Some((_, stretch)) = at.and_then(|at| fields.get(at)) {
                return Some((file, *stretch));
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Where the policy as a whole stands: the value of its `metadata.name`.
    pub fn policy(&self, policy: &PolicyName) -> Option<Place> {
        self.find(policy, "metadata.name")
    }

    /// The field paths, in the order of their ids.
    pub(super) fn paths(&self) -> &[Arc<str>] {
        &self.paths
    }

    /// The file and the fields of each policy, sorted by policy.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&PolicyName, &Arc<str>, &[Located])> {
        self.policies.iter().map(|written| {
            let file = self.files.get(written.file as usize);
            let (name, fields) = file
                .map_or((&written.policy.name, &[][..]), |file| (&file.file, file.policy(written.number)));
            (&written.policy, name, fields)
        })
    }
}

/// Equal where every field of every policy stands in equal places.
impl PartialEq for Places {
    fn eq(&self, other: &Self) -> bool {
        self.paths == other.paths && self.iter().eq(other.iter())
    }
}

impl Eq for Places {}

/// Manifests of more than 4 GiB are refused long before (the compiler's limits).
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> PolicyName {
        PolicyName { namespace: "default".into(), name: "p".into() }
    }

    fn places(fields: &[(&str, u32)]) -> Places {
        let mut file = FilePlaces::new("a.yaml".into());
        for (path, line) in fields {
            let id = file.field((*path).to_owned());
            file.push(id, Stretch { line: *line, column: 1, end_line: *line, end_column: 2 });
        }
        let number = file.end_policy();
        file.sort();
        Places::new(vec![file], [(policy(), 0, number)])
    }

    fn place(line: u32) -> Place {
        Place { file: "a.yaml".into(), line, column: 1, end_line: line, end_column: 2 }
    }

    #[test]
    fn the_order_of_mention_is_forgotten() {
        let one = places(&[("spec", 2), ("metadata", 1)]);
        assert_eq!(one, places(&[("metadata", 1), ("spec", 2)]));
        assert_ne!(one, places(&[("metadata", 2), ("spec", 2)]));
        assert_eq!(one.find(&policy(), "spec"), Some(place(2)));
    }

    #[test]
    fn a_missing_field_is_found_at_the_field_around_it() {
        let places = places(&[("spec.redirectBackend", 3)]);
        assert_eq!(places.find(&policy(), "spec.redirectBackend.toPorts[0].port"), Some(place(3)));
        assert_eq!(places.find(&policy(), "metadata.name"), None);
    }

    /// Each file numbers its own paths.
    #[test]
    fn files_with_other_fields_are_put_together() {
        let name = |name: &str| PolicyName { namespace: "default".into(), name: name.into() };
        let file = |file: &str, fields: [(&str, u32); 2]| {
            let mut places = FilePlaces::new(file.into());
            for (path, line) in fields {
                let id = places.field(path.into());
                places.push(id, Stretch { line, column: 1, end_line: line, end_column: 2 });
                places.end_policy();
            }
            places.sort();
            places
        };
        let files =
            vec![file("a.yaml", [("spec", 1), ("metadata", 2)]), file("b.yaml", [("a", 3), ("spec", 4)])];
        let policies = [("d", 1, 1), ("a", 0, 0), ("c", 1, 0), ("b", 0, 1)];
        let places = Places::new(files, policies.map(|(policy, file, number)| (name(policy), file, number)));
        let line = |policy: &str, field: &str| places.find(&name(policy), field).map(|place| place.line);
        assert_eq!(line("a", "spec"), Some(1));
        assert_eq!(line("b", "metadata"), Some(2));
        assert_eq!(line("c", "a"), Some(3));
        assert_eq!(line("d", "spec"), Some(4));
        assert_eq!(line("d", "a"), None);
        let order: Vec<_> =
            places.iter().map(|(policy, file, _)| format!("{} {file}", policy.name)).collect();
        assert_eq!(order, ["a a.yaml", "b a.yaml", "c b.yaml", "d b.yaml"]);
    }
}
