//! A Kustomize folder: what its patches make of a policy is known only when it is rendered.

use super::read::Document;
use crate::hir::KIND;
use crate::source::{Source, Span};
use crate::syntax::{Node, Tree};

/// What a `kustomization.yaml` patches.
#[derive(Debug)]
pub(crate) struct Kustomization {
    pub(crate) source: Source,
    pub(crate) patches: Vec<Patch>,
}

/// One patch.
#[derive(Debug)]
pub(crate) struct Patch {
    pub(crate) at: Span,
    /// The file that holds it, as the name of another file of the input.
    pub(crate) file: Option<String>,
    /// It says itself that it is for a policy.
    pub(crate) is_of_policy: bool,
}

/// The fields of a kustomization that hold patches.
const LISTS: [&str; 3] = ["patches", "patchesStrategicMerge", "patchesJson6902"];

/// `None` where a document is no kustomization, by its kind or its file's name, or patches nothing.
pub(super) fn read(
    source: &Source,
    tree: &Tree<'_>,
    node: &Node<'_>,
    kind: Option<&str>,
) -> Option<Kustomization> {
    let file = source.name().rsplit('/').next().unwrap_or_default();
    let is_named = matches!(file, "kustomization.yaml" | "kustomization.yml");
    let is_it = match kind {
        Some(kind) => matches!(kind, "Kustomization" | "Component"),
        None => is_named,
    };
    if !is_it {
        return None;
    }
    let document = Document { source, tree, node };
    let patches = LISTS.iter().flat_map(|list| document.elements(tree.field(node, list)));
    let patches: Vec<_> = patches.map(|patch| document.patch(patch)).collect();
    (!patches.is_empty()).then(|| Kustomization { source: source.clone(), patches })
}

impl<'s> Document<'_, 's> {
    fn patch(&self, node: &Node<'s>) -> Patch {
        let text = |node: Option<&Node<'s>>| node.and_then(Node::text).map(str::to_owned);
        // An element of `patchesStrategicMerge` is a path, or the patch itself.
        let (path, inline) = match node.text() {
            Some(text) if text.contains('\n') => (None, Some(text.to_owned())),
            Some(text) => (Some(text.to_owned()), None),
            None => (text(self.tree.field(node, "path")), text(self.tree.field(node, "patch"))),
        };
        let target = text(self.at(node, &["target", "kind"]));
        Patch {
            at: self.tree.head(node),
            file: path.map(|path| beside(self.source.name(), &path)),
            is_of_policy: target.as_deref() == Some(KIND)
                || inline.is_some_and(|inline| inline.contains(KIND)),
        }
    }
}

/// The name of a file that another names by a path of its own folder.
fn beside(file: &str, path: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    plain(&format!("{folder}/{path}"))
}

/// A name without `.` and `..`, as far as it says what they lead to.
pub(crate) fn plain(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_folder() {
        assert_eq!(beside("overlay/kustomization.yaml", "patch.yaml"), "overlay/patch.yaml");
        assert_eq!(beside("./a/b/kustomization.yaml", "../c/./p.yaml"), "a/c/p.yaml");
        assert_eq!(beside("kustomization.yaml", "p.yaml"), "p.yaml");
        assert_eq!(beside("a/kustomization.yaml", "../../p.yaml"), "../p.yaml");
    }
}
