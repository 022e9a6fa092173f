//! Label selectors in canonical form: one sorted list of requirements, all of which must hold.
//!
//! `matchLabels: {a: b}` and `a in (b)` mean the same and are kept the same, so that equal selectors give
//! equal bytes.

use core::fmt;
use std::collections::BTreeMap;

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

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

impl Requirement {
    /// A requirement; values are sorted, and each is kept once. `In` and `NotIn` have at least one value,
    /// the other two none (L2); the compiler reports anything else.
    pub fn new(key: String, operator: Operator, mut values: Vec<String>) -> Self {
        values.sort_unstable();
        values.dedup();
        Self { key, operator, values }
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
        Requirement::new(key.into(), operator, values.iter().map(|value| (*value).into()).collect())
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
