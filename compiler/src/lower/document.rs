//! Which documents are policies: ours are read, lists are opened, others are counted, near misses are
//! reported.

use super::policy;
use crate::check::near_miss_kind;
use crate::diagnostic::Diagnostic;
use crate::hir::Policy;
use crate::names::distance;
use crate::source::{Source, Span};
use crate::syntax::{Node, Tree, Value};

const KIND: &str = "CiliumLocalRedirectPolicy";
const API_VERSION: &str = "cilium.io/v2";

/// What a document, or an element of a list, turned out to be.
pub(crate) enum Found {
    Policy(Box<Policy>),
    /// Another kind, or none.
    Foreign {
        kind: Option<Span>,
        document: Span,
    },
    NearMiss(Diagnostic),
}

/// Hands out what one document holds, until `visit` says stop; the answer says whether to go on.
pub(crate) fn documents(
    source: &Source,
    tree: &Tree<'_>,
    node: &Node<'_>,
    visit: &mut impl FnMut(Found) -> bool,
) -> bool {
    if node.is_null() {
        return true;
    }
    let kinds = Kinds::of(tree, node);
    let near_miss = Found::NearMiss;
    let found = match (kinds.kind, kinds.api_version) {
        (Some((KIND, _)), Some((API_VERSION, _)) | None) => {
            Found::Policy(Box::new(policy::lower(source, tree, node)))
        }
        (Some((KIND, _)), Some((api_version, span))) => {
            near_miss(near_miss_kind::group(source, api_version, span))
        }
        (Some(("List" | "CiliumLocalRedirectPolicyList", _)), _) => {
            return items(tree, node).iter().all(|item| documents(source, tree, item, visit));
        }
        (Some((kind, span)), _) if is_near_miss(kind) => near_miss(near_miss_kind::kind(source, kind, span)),
        (kind, _) => Found::Foreign { kind: kind.map(|(_, span)| span), document: node.span },
    };
    visit(found)
}

/// The two fields that say what an object is.
struct Kinds<'t> {
    kind: Option<(&'t str, Span)>,
    api_version: Option<(&'t str, Span)>,
}

impl<'t> Kinds<'t> {
    fn of(tree: &'t Tree<'_>, node: &'t Node<'_>) -> Self {
        Self {
            kind: field(tree, node, "kind").and_then(text),
            api_version: field(tree, node, "apiVersion").and_then(text),
        }
    }
}

fn text<'t>(node: &'t Node<'_>) -> Option<(&'t str, Span)> {
    Some((node.text()?, node.span)).filter(|_| !node.is_null())
}

fn field<'t, 's>(tree: &'t Tree<'s>, node: &'t Node<'s>, name: &str) -> Option<&'t Node<'s>> {
    let Value::Mapping(children) = node.value else { return None };
    tree.entries(children).iter().find(|[key, _]| key.text() == Some(name)).map(|[_, value]| value)
}

fn items<'t, 's>(tree: &'t Tree<'s>, node: &'t Node<'s>) -> &'t [Node<'s>] {
    match field(tree, node, "items").map(|items| &items.value) {
        Some(Value::Sequence(children)) => tree.elements(*children),
        Some(Value::Scalar(_) | Value::Mapping(_)) | None => &[],
    }
}

fn is_near_miss(kind: &str) -> bool {
    if kind.len() > 2 * KIND.len() {
        return false;
    }
    let lower = kind.to_ascii_lowercase();
    lower.contains("localredirect") || distance(&lower, &KIND.to_ascii_lowercase()) <= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_misses_and_neighbours_are_not() {
        for kind in ["CiliumLocalRedirectPolcy", "ciliumlocalredirectpolicy", "LocalRedirectPolicy"] {
            assert!(is_near_miss(kind), "{kind}");
        }
        for kind in ["CiliumNetworkPolicy", "CiliumEgressGatewayPolicy", "NetworkPolicy", "Pod", ""] {
            assert!(!is_near_miss(kind), "{kind}");
        }
    }
}
