//! Which documents are policies: ours are read, lists are opened, others are counted, near misses are
//! reported. A group that is another's makes a kind another's, whatever it is called. The elements of a
//! `CiliumLocalRedirectPolicyList` need not say what they are.

use lrpc_schema::diagnostic::Field;

use super::places::Recorder;
use super::policy;
use crate::check::wrong_type::{self, Expected};
use crate::check::{missing_field, near_miss_kind};
use crate::diagnostic::Diagnostic;
use crate::hir::{KIND, Policy};
use crate::names::distance;
use crate::source::{Source, Span};
use crate::syntax::{Node, Tree, Value};
use crate::template;
use crate::workload::{self, Beside};

const LIST: &str = "CiliumLocalRedirectPolicyList";
const API_VERSION: &str = "cilium.io/v2";
const GROUP: &str = "cilium.io";

/// What a document, or an element of a list, turned out to be.
pub(crate) enum Found {
    Policy(Box<Policy>),
    /// Another kind, or none, with what it will run.
    Foreign {
        kind: Option<Span>,
        document: Span,
        beside: Option<Box<Beside>>,
    },
    /// Nearly a policy, or a list that cannot be opened.
    Problem(Box<Diagnostic>),
}

/// Hands out what one document holds, until `visit` says stop; the answer says whether to go on.
pub(crate) fn documents<'s>(
    source: &Source,
    tree: &Tree<'s>,
    node: &Node<'s>,
    places: &mut Recorder<'s>,
    visit: &mut impl FnMut(Found) -> bool,
) -> bool {
    node.is_null() || object(source, tree, node, false, places, visit)
}

/// One object; `in_list` where the list around it says of what kind its elements are.
fn object<'s>(
    source: &Source,
    tree: &Tree<'s>,
    node: &Node<'s>,
    in_list: bool,
    places: &mut Recorder<'s>,
    visit: &mut impl FnMut(Found) -> bool,
) -> bool {
    let Kinds { kind, api_version } = Kinds::of(tree, node);
    let is_near = api_version.is_none_or(|(api_version, _)| is_near_group(api_version));
    let is_ours = is_near && kind.map_or(in_list, |(kind, _)| kind == KIND);
    let found = match (kind, api_version) {
        (_, Some((API_VERSION, _)) | None) if is_ours => {
            Found::Policy(Box::new(policy::lower(source, tree, node, in_list, places)))
        }
        (Some((LIST, _)), Some((API_VERSION, _)) | None) => {
            return items(source, tree, node, true, places, visit);
        }
        (Some(("List", _)), _) => return items(source, tree, node, false, places, visit),
        (kind, Some((api_version, span)))
            if is_ours || is_near && kind.is_some_and(|(kind, _)| kind == LIST) =>
        {
            Found::Problem(Box::new(near_miss_kind::group(source, api_version, span)))
        }
        (Some((kind, span)), _) if is_near && is_near_kind(kind) => {
            Found::Problem(Box::new(near_miss_kind::kind(source, kind, span)))
        }
        (_, Some((API_VERSION, _))) if let Some((text, span)) = placeholder(source, tree, node) => {
            Found::Problem(Box::new(near_miss_kind::placeholder(source, text, span)))
        }
        (None, api_version) if is_without_kind(tree, node, api_version) => {
            let is_list = elements(tree, node).is_some();
            let at = first_key(tree, node);
            Found::Problem(Box::new(missing_field::of_document(source, at, is_list)))
        }
        (kind, api_version) => {
            let text = |found: Option<(_, Span)>| found.map(|(text, _)| text);
            let beside = workload::read(source, tree, node, text(kind), text(api_version));
            Found::Foreign {
                kind: kind.map(|(_, span)| span),
                document: node.span,
                beside: beside.map(Box::new),
            }
        }
    };
    visit(found)
}

/// The elements of a list; nothing in it is passed over (L3).
fn items<'s>(
    source: &Source,
    tree: &Tree<'s>,
    node: &Node<'s>,
    in_list: bool,
    places: &mut Recorder<'s>,
    visit: &mut impl FnMut(Found) -> bool,
) -> bool {
    // Go writes an empty list as `null`.
    let Some(items) = tree.field(node, "items").filter(|items| !items.is_null()) else { return true };
    let Some(elements) = tree.list(items) else {
        let problem = wrong_type::report(source, items, &Field::Fixed("items"), Expected::List);
        return visit(Found::Problem(Box::new(problem)));
    };
    elements.iter().zip(0..).all(|(item, index)| match item.value {
        Value::Mapping(_) => object(source, tree, item, in_list, places, visit),
        Value::Scalar(_) | Value::Sequence(_) => {
            let field = Field::Element("items", index, "");
            visit(Found::Problem(Box::new(wrong_type::report(source, item, &field, Expected::Object))))
        }
    })
}

/// An object without a kind that was one of ours, or a list of them.
fn is_without_kind(tree: &Tree<'_>, node: &Node<'_>, api_version: Option<(&str, Span)>) -> bool {
    let is_policy = |item: &Node<'_>| matches!(Kinds::of(tree, item).kind, Some((KIND, _)));
    matches!(api_version, Some((API_VERSION, _)))
        || elements(tree, node).is_some_and(|items| items.iter().any(is_policy))
}

/// A kind that is not filled in yet and may be ours; a placeholder without quotes is no text for YAML.
fn placeholder<'t>(source: &'t Source, tree: &Tree<'_>, node: &Node<'_>) -> Option<(&'t str, Span)> {
    let span = tree.field(node, "kind")?.span;
    let text = source.slice(span);
    template::may_become(text.trim_matches(['"', '\'']), KIND).then_some((text, span))
}

/// The elements of what may be a list.
fn elements<'t, 's>(tree: &'t Tree<'s>, node: &Node<'_>) -> Option<&'t [Node<'s>]> {
    tree.list(tree.field(node, "items")?)
}

/// Where an object begins.
fn first_key(tree: &Tree<'_>, node: &Node<'_>) -> Span {
    let Value::Mapping(children) = node.value else { return node.span };
    tree.entries(children).first().map_or(node.span, |[key, _]| key.span)
}

/// The two fields that say what an object is.
struct Kinds<'t> {
    kind: Option<(&'t str, Span)>,
    api_version: Option<(&'t str, Span)>,
}

impl<'t> Kinds<'t> {
    fn of(tree: &'t Tree<'_>, node: &Node<'_>) -> Self {
        Self {
            kind: tree.field(node, "kind").and_then(text).filter(|(kind, _)| !kind.is_empty()),
            api_version: tree.field(node, "apiVersion").and_then(text),
        }
    }
}

fn text<'t>(node: &'t Node<'_>) -> Option<(&'t str, Span)> {
    Some((node.text()?, node.span)).filter(|_| !node.is_null())
}

/// The group of an API version is ours, none, or a slip away from ours; or it is not filled in yet.
fn is_near_group(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group).to_ascii_lowercase();
    group.is_empty()
        || template::is_in(api_version)
        || group.contains("cilium")
        || distance(&group, GROUP) <= 2
}

fn is_near_kind(kind: &str) -> bool {
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
            assert!(is_near_kind(kind), "{kind}");
        }
        for kind in ["CiliumNetworkPolicy", "CiliumEgressGatewayPolicy", "NetworkPolicy", "Pod", ""] {
            assert!(!is_near_kind(kind), "{kind}");
        }
    }

    #[test]
    fn a_group_of_another_is_no_slip() {
        for group in ["cilium.io/v1", "cillium.io/v2", "cilum.io/v2", "v2", "", "Cilium/v2", "{{ .api }}/v2"]
        {
            assert!(is_near_group(group), "{group}");
        }
        for group in ["balancing.elf.io/v1beta1", "X.example.com/v1", "apps/v1", "calico.io/v2", "helm.io/v2"]
        {
            assert!(!is_near_group(group), "{group}");
        }
    }
}
