//! Where each field of each policy was written, so that findings made long after compiling still point
//! into the manifest.
//!
//! Not part of the digest: moving a manifest changes no policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PolicyName;

/// A stretch of a manifest: lines and columns from 1, columns in characters, the end exclusive.
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

/// Policy and field path to place. Field paths are those of `kubectl explain`, with list indices:
/// `spec.redirectFrontend.addressMatcher.toPorts[0].port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    policies: BTreeMap<PolicyName, BTreeMap<String, Place>>,
}

impl Places {
    /// Says where a field of a policy stands.
    pub fn insert(&mut self, policy: PolicyName, field: String, place: Place) {
        self.policies.entry(policy).or_default().insert(field, place);
    }

    /// The place of a field, or of the nearest field around it that was written: a finding about a missing
    /// `spec.redirectBackend.toPorts` points at `spec.redirectBackend`.
    pub fn find(&self, policy: &PolicyName, field: &str) -> Option<&Place> {
        let fields = self.policies.get(policy)?;
        let mut path = field;
        loop {
            if let Some(place) = fields.get(path) {
                return Some(place);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Where the policy as a whole stands: the value of its `metadata.name`.
    pub fn policy(&self, policy: &PolicyName) -> Option<&Place> {
        self.find(policy, "metadata.name")
    }

    /// Every place, sorted by policy and field.
    pub fn iter(&self) -> impl Iterator<Item = (&PolicyName, &BTreeMap<String, Place>)> {
        self.policies.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_field_is_found_at_the_field_around_it() {
        let policy = PolicyName { namespace: "default".into(), name: "p".into() };
        let place = Place { file: "a.yaml".into(), line: 3, column: 5, end_line: 3, end_column: 9 };
        let mut places = Places::default();
        places.insert(policy.clone(), "spec.redirectBackend".into(), place.clone());
        assert_eq!(places.find(&policy, "spec.redirectBackend.toPorts[0].port"), Some(&place));
        assert_eq!(places.find(&policy, "metadata.name"), None);
    }
}
