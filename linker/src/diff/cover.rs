//! Whether a condition still lets through everything that another did.
//!
//! The answers err on one side: "covers" is said only where it follows from the conditions alone, whatever
//! labels there are.

use lrpc_schema::image::{Clients, Operator, Policy, Requirement, Selector};

/// Whether every client of the old policy is one of the new (L6).
pub(super) fn clients(old: &Policy, new: &Policy) -> bool {
    let same_namespace = old.name.namespace == new.name.namespace;
    match (&old.clients, &new.clients) {
        (_, Clients::All) => true,
        (Clients::All, _) => false,
        (_, Clients::AllPods) | (Clients::Pods, Clients::Pods) => true,
        // The hostNetwork pods of a namespace are no clients of `pods`.
        (_, Clients::Pods) | (Clients::Pods | Clients::AllPods, _) => false,
        (Clients::Namespace | Clients::Selector(_), Clients::Namespace) => same_namespace,
        (Clients::Selector(old), Clients::Selector(new)) => same_namespace && selector(old, new),
        (Clients::Namespace, Clients::Selector(new)) => same_namespace && new.is_empty(),
    }
}

/// Whether every node of the old policy is one of the new (L7); none named is every node.
pub(super) fn nodes(old: Option<&Selector>, new: Option<&Selector>) -> bool {
    match (old, new) {
        (_, None) => true,
        (None, Some(new)) => new.is_empty(),
        (Some(old), Some(new)) => selector(old, new),
    }
}

/// Whether whatever `old` selects is selected by `new`: each of its requirements follows from one of the
/// old.
fn selector(old: &Selector, new: &Selector) -> bool {
    new.requirements().iter().all(|wanted| old.requirements().iter().any(|known| follows(known, wanted)))
}

/// Whether labels that meet `known` meet `wanted`.
fn follows(known: &Requirement, wanted: &Requirement) -> bool {
    use Operator::{DoesNotExist, Exists, In, NotIn};
    let (known_values, wanted_values) = (known.values(), wanted.values());
    let within = |inner: &[String], outer: &[String]| inner.iter().all(|value| outer.contains(value));
    known.key() == wanted.key()
        && match (known.operator(), wanted.operator()) {
            (In, In) => within(known_values, wanted_values),
            (In, NotIn) => !known_values.iter().any(|value| wanted_values.contains(value)),
            (NotIn, NotIn) => within(wanted_values, known_values),
            (In | Exists, Exists) | (DoesNotExist, DoesNotExist | NotIn) => true,
            (In | Exists, DoesNotExist)
            | (Exists | NotIn | DoesNotExist, In)
            | (Exists, NotIn)
            | (NotIn | DoesNotExist, Exists)
            | (NotIn, DoesNotExist) => false,
        }
}
