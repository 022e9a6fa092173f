//! One repository often holds several clusters, a folder each: what they have in common is no mistake.

use crate::source::Source;

/// What to add to the remedy for two places that contradict each other, where they lie in folders beside each
/// other; nothing where they do not.
pub(crate) fn apart(first: &Source, again: &Source) -> String {
    let Some((one, other)) = siblings(first.name(), again.name()) else { return String::new() };
    format!("; if `{one}` and `{other}` are different clusters, check each by itself: `lrpc check {one}`")
}

/// The two folders at which the ways to two files part; `None` where one file's folder holds the other.
fn siblings<'n>(one: &'n str, other: &'n str) -> Option<(&'n str, &'n str)> {
    let folder = |name: &'n str| name.rfind('/').and_then(|end| name.get(..end)).unwrap_or_default();
    let (one, other) = (folder(one), folder(other));
    let mut length = 0;
    for (a, b) in one.split('/').zip(other.split('/')) {
        if a != b {
            let upto =
                |name: &'n str, part: &str| name.get(..length + part.len()).filter(|path| !path.is_empty());
            return Some((upto(one, a)?, upto(other, b)?));
        }
        length += a.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_part_where_they_differ() {
        assert_eq!(siblings("c/a/x.yaml", "c/b/y/z.yaml"), Some(("c/a", "c/b")));
        assert_eq!(siblings("a/x.yaml", "b/x.yaml"), Some(("a", "b")));
        assert_eq!(siblings("/r/a/x.yaml", "/r/b/x.yaml"), Some(("/r/a", "/r/b")));
        assert_eq!(siblings("a/x.yaml", "a/y.yaml"), None);
        assert_eq!(siblings("a/x.yaml", "a/b/y.yaml"), None);
        assert_eq!(siblings("x.yaml", "b/y.yaml"), None);
        assert_eq!(siblings("x.yaml", "-"), None);
    }
}
