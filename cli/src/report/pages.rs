//! The manual: the pages of the compiler's diagnostics and of a link's findings in one list.

use lrpc_schema::diagnostic::{Page, Severity};

/// Every page, sorted by code.
pub(crate) fn all() -> Vec<Page> {
    let mut pages: Vec<Page> = lrpc_compiler::PAGES.iter().copied().chain(findings()).collect();
    pages.sort_by_key(|page| page.code);
    pages
}

/// The pages of what a link finds, of what a node does not carry and of what may be wrong with an inventory, for
/// the compiler, which settles all of it with its own diagnostics.
pub(crate) fn findings() -> impl Iterator<Item = Page> {
    let inventory = lrpc_linker::inventory::PAGES.iter();
    lrpc_linker::PAGES.iter().chain(inventory).chain(lrpc_linker::profile::PAGES).copied()
}

/// The page of a code.
pub(crate) fn find(code: &str) -> Option<Page> {
    all().into_iter().find(|page| page.code == code)
}

/// Checks that a code is a warning's, whose severity can be set.
///
/// # Errors
/// When there is no such diagnostic, or it is an error and stays one; with what to do.
pub(crate) fn warning(code: &str) -> Result<(), String> {
    match (find(code), nearest(code)) {
        (Some(page), _) if page.severity == Severity::Error => {
            Err(format!("`{code}` is an error; only the severity of warnings can be set"))
        }
        (Some(_), _) => Ok(()),
        (None, Some(near)) => Err(format!("there is no diagnostic `{code}`; did you mean `{near}`?")),
        (None, None) => Err(format!("there is no diagnostic `{code}`; `lrpc explain` lists all")),
    }
}

/// The code that was probably meant: the one with the fewest edits, at most a third of its length.
pub(crate) fn nearest(code: &str) -> Option<&'static str> {
    let distances = all().into_iter().map(|page| (edits(code, page.code.as_str()), page.code.as_str()));
    distances.min().filter(|(edits, near)| *edits * 3 <= near.len()).map(|(_, near)| near)
}

/// The number of letters to insert, remove or change to make one text the other.
fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, a) in one.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        let mut next = vec![left];
        for (b, above) in other.chars().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(a != b)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("same", "same"), 0);
    }

    #[test]
    fn codes_are_unique() {
        let codes: Vec<_> = all().into_iter().map(|page| page.code).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }
}
