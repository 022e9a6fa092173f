//! The fields of a policy, by which those who never see text say what they mean.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use crate::image::PolicyName;

/// The path of a field, as `kubectl explain` writes it, with list indices. A path has one spelling here, so
/// that equal paths are equal fields: an annotation or label is always a [`Key`](Self::Key).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `spec.redirectBackend`.
    Fixed(&'static str),
    /// `spec.redirectBackend.toPorts`, `[0]`, `.port`.
    Element(&'static str, u32, &'static str),
    /// `spec.redirectBackend.localEndpointSelector.matchExpressions`, `[0]`, `.values`, `[1]`.
    Nested(&'static str, u32, &'static str, u32),
    /// `spec.redirectBackend.localEndpointSelector.matchLabels`, `.`, `app`.
    Key(&'static str, Cow<'static, str>),
}

/// A field of one policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldOf {
    /// The policy.
    pub policy: PolicyName,
    /// The field.
    pub field: Field,
}

impl Field {
    /// An annotation.
    pub const fn annotation(name: &'static str) -> Self {
        Self::Key("metadata.annotations", Cow::Borrowed(name))
    }

    /// The field around this one, if any; a whole element of a list is around its fields.
    pub fn parent(&self) -> Option<Self> {
        Some(match self {
            Self::Fixed(path) => Self::Fixed(path.rsplit_once('.')?.0),
            Self::Element(list, _, "") => Self::Fixed(list),
            Self::Element(list, index, rest) => {
                Self::Element(list, *index, rest.rsplit_once('.').map_or("", |(before, _)| before))
            }
            Self::Nested(list, index, inner, _) => Self::Element(list, *index, inner),
            Self::Key(map, _) => Self::Fixed(map),
        })
    }

    /// The parts in the order of the path.
    fn parts(&self) -> (&str, Option<u32>, &str, Option<u32>) {
        match self {
            Self::Fixed(path) => (path, None, "", None),
            Self::Element(list, index, rest) => (list, Some(*index), rest, None),
            Self::Nested(list, index, inner, at) => (list, Some(*index), inner, Some(*at)),
            Self::Key(map, key) => (map, None, key, None),
        }
    }
}

/// The order of the paths, elements of a list by their number.
impl Ord for Field {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for Field {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(path) => f.write_str(path),
            Self::Element(list, index, rest) => write!(f, "{list}[{index}]{rest}"),
            Self::Nested(list, index, inner, at) => write!(f, "{list}[{index}]{inner}[{at}]"),
            Self::Key(map, key) => write!(f, "{map}.{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_in_the_next() {
        let mut field = Field::Nested("spec.matchExpressions", 0, ".values", 1);
        let mut path = vec![field.to_string()];
        while let Some(parent) = field.parent() {
            path.push(parent.to_string());
            field = parent;
        }
        let around = ["spec.matchExpressions[0]", "spec.matchExpressions", "spec"];
        assert_eq!(path[..2], ["spec.matchExpressions[0].values[1]", "spec.matchExpressions[0].values"]);
        assert_eq!(path[2..], around);
        let annotation = Field::annotation("lrpc.dev/nodes");
        assert_eq!(annotation.to_string(), "metadata.annotations.lrpc.dev/nodes");
        assert_eq!(annotation.parent(), Some(Field::Fixed("metadata.annotations")));
    }

    #[test]
    fn elements_are_in_the_order_of_their_numbers() {
        let element = |index| Field::Element("spec.toPorts", index, ".port");
        assert!(Field::Fixed("spec.toPorts") < element(0) && element(2) < element(10));
        assert!(Field::Fixed("spec.ip") < element(0));
    }
}
