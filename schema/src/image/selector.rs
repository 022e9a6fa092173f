//! Label selectors in canonical form: one sorted list of requirements, all of which must hold.
//!
//! `matchLabels: {a: b}` and `a in (b)` mean the same and are kept the same, so that equal selectors give
//! equal bytes.

use core::fmt;
use std::collections::BTreeMap;

use super::name::{is_label_key, is_label_value};

/// How a requirement compares a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// The label is there and its value is one of the list.
    In,
    /// The label is absent or its value is none of the list.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
}

/// Why there is no such requirement (L2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARequirement {
    /// The key is no label key.
    #[error("a key is not the key of a label")]
    Key,
    /// A value is no label value.
    #[error("a value is not the value of a label")]
    Value,
    /// `In` or `NotIn` without a value, `Exists` or `DoesNotExist` with one.
    #[error("`In` and `NotIn` have values, `Exists` and `DoesNotExist` have none")]
    Count,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

impl Requirement {
    /// A requirement; values are sorted, and each is kept once.
    ///
    /// # Errors
    /// [`NotARequirement`] where the API server would refuse it.
    pub fn new(key: String, operator: Operator, mut values: Vec<String>) -> Result<Self, NotARequirement> {
        let takes_values = matches!(operator, Operator::In | Operator::NotIn);
        if !is_label_key(&key) {
            return Err(NotARequirement::Key);
        }
        if !values.iter().all(|value| is_label_value(value)) {
            return Err(NotARequirement::Value);
        }
        if takes_values == values.is_empty() {
            return Err(NotARequirement::Count);
        }
        values.sort_unstable();
        values.dedup();
        Ok(Self { key, operator, values })
    }

    /// The label's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How the label is compared.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The sorted values.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let listed = || value.is_some_and(|value| self.values.binary_search(value).is_ok());
        match self.operator {
            Operator::In => listed(),
            Operator::NotIn => !listed(),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// Shows the requirement as `kubectl --selector` takes it.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match (self.operator, self.values.as_slice()) {
            (Operator::In, [value]) => write!(f, "{key}={value}"),
            (Operator::In, values) => write!(f, "{key} in ({})", values.join(",")),
            // `k notin ()` would be a list without values.
            (Operator::NotIn, [value]) if value.is_empty() => write!(f, "{key}!="),
            (Operator::NotIn, values) => write!(f, "{key} notin ({})", values.join(",")),
            (Operator::Exists, _) => f.write_str(key),
            (Operator::DoesNotExist, _) => write!(f, "!{key}"),
        }
    }
}

/// Requirements that must all hold; the empty selector selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

impl Selector {
    /// The selector of these requirements, sorted, each kept once.
    pub fn new(mut requirements: Vec<Requirement>) -> Self {
        requirements.sort_unstable();
        requirements.dedup();
        Self { requirements }
    }

    /// The sorted requirements.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// A label that every selected object has, with the one value that it can have; `None` where no requirement
    /// names one.
    pub fn required_label(&self) -> Option<(&str, &str)> {
        self.requirements.iter().find_map(|one| match (one.operator, one.values.as_slice()) {
            (Operator::In, [value]) => Some((one.key.as_str(), value.as_str())),
            _ => None,
        })
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }
}

/// Shows the selector as `kubectl --selector` takes it; the empty one is the empty text.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            requirement.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(key: &str, operator: Operator, values: &[&str]) -> Requirement {
        let values = values.iter().map(|value| (*value).into()).collect();
        Requirement::new(key.into(), operator, values).unwrap()
    }

    #[test]
    fn operators_read_absent_labels_as_kubernetes_does() {
        let labels = BTreeMap::from([("app".into(), "x".into())]);
        let holds =
            |key, operator, values| Selector::new(vec![requirement(key, operator, values)]).matches(&labels);
        assert!(holds("app", Operator::In, &["y", "x"]));
        assert!(!holds("tier", Operator::In, &["x"]));
        assert!(!holds("app", Operator::NotIn, &["x"]));
        assert!(holds("tier", Operator::NotIn, &["x"]));
        assert!(holds("app", Operator::Exists, &[]));
        assert!(!holds("app", Operator::DoesNotExist, &[]));
        assert!(holds("tier", Operator::DoesNotExist, &[]));
        assert!(Selector::default().matches(&labels));
    }

    #[test]
    fn what_the_api_server_refuses_is_none() {
        let refused = |key: &str, operator, values: &[&str]| {
            let values = values.iter().map(|value| (*value).into()).collect();
            Requirement::new(key.into(), operator, values).unwrap_err()
        };
        assert_eq!(refused("", Operator::Exists, &[]), NotARequirement::Key);
        assert_eq!(refused("app", Operator::In, &["-"]), NotARequirement::Value);
        assert_eq!(refused("app", Operator::In, &[]), NotARequirement::Count);
        assert_eq!(refused("app", Operator::NotIn, &[]), NotARequirement::Count);
        assert_eq!(refused("app", Operator::Exists, &["a"]), NotARequirement::Count);
        assert_eq!(refused("app", Operator::DoesNotExist, &["a"]), NotARequirement::Count);
    }

    #[test]
    fn an_empty_value_is_written_so_that_it_is_read_again() {
        assert_eq!(requirement("app", Operator::In, &[""]).to_string(), "app=");
        assert_eq!(requirement("app", Operator::NotIn, &[""]).to_string(), "app!=");
    }

    #[test]
    fn the_written_order_is_forgotten() {
        let one = Selector::new(vec![
            requirement("b", Operator::In, &["2", "1", "2"]),
            requirement("a", Operator::Exists, &[]),
        ]);
        let other = Selector::new(vec![
            requirement("a", Operator::Exists, &[]),
            requirement("b", Operator::In, &["1", "2"]),
        ]);
        assert_eq!(one, other);
        assert_eq!(one.to_string(), "a,b in (1,2)");
    }
}
