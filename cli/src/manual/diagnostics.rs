//! The diagnostics: the pages of the compiler, of a link, of a data path and of an apply in one list.

use lrpc_schema::diagnostic::{Code, Page, Severity};

use super::nearest::nearest;

/// What only an apply can find, on the node.
pub(crate) const NODE_NOT_HERE: Page = Page {
    code: Code::new("node-not-here"),
    severity: Severity::Warning,
    summary: "this machine has no address of the Node that it is loaded as",
    since: "0.1.0",
    page: include_str!("../../diagnostics/node-not-here.md"),
};

/// Every page, sorted by code.
pub(crate) fn all() -> Vec<Page> {
    let pages = lrpc_compiler::PAGES.iter().copied().chain(findings());
    let mut pages: Vec<Page> = pages.chain([NODE_NOT_HERE]).collect();
    pages.sort_by_key(|page| page.code);
    pages
}

/// The pages of what a link finds, of what a node does not carry and of what may be wrong with an inventory, for
/// the compiler, which settles all of it with its own diagnostics.
pub(crate) fn findings() -> impl Iterator<Item = Page> {
    let inventory = lrpc_linker::inventory::PAGES.iter();
    lrpc_linker::PAGES.iter().chain(inventory).copied()
}

/// The page of a code.
fn find(code: &str) -> Option<Page> {
    all().into_iter().find(|page| page.code == code)
}

/// Checks that a code is a warning's, whose severity can be set.
///
/// # Errors
/// When there is no such diagnostic, or it is an error and stays one; with what to do.
pub(crate) fn warning(code: &str) -> Result<(), String> {
    match (find(code), nearest(code, all().iter().map(|page| page.code.as_str()))) {
        (Some(page), _) if page.severity == Severity::Error => {
            Err(format!("`{code}` is an error; only the severity of warnings can be set"))
        }
        (Some(_), _) => Ok(()),
        (None, Some(near)) => Err(format!("there is no diagnostic `{code}`; did you mean `{near}`?")),
        (None, None) => Err(format!("there is no diagnostic `{code}`; `lrpc explain` lists all")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let codes: Vec<_> = all().into_iter().map(|page| page.code).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }
}
