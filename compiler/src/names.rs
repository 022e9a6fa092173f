//! Which known name a wrong one was meant to be; the syntaxes of names are the image's.

pub(crate) use lrpc_schema::image::name::{
    is_dns_label, is_dns_subdomain, is_label_key, is_label_value, is_port_name,
};

/// The candidate that a user most probably meant: equal but for case, or a few slips away, at most one in
/// three letters.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > 64 {
        return None;
    }
    let word = word.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + candidate.len() / 5 && *distance * 3 <= candidate.len().max(word.len())
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of insertions, deletions, substitutions and swaps of neighbours between two words.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, x) in a.chars().enumerate() {
        let mut current = Vec::with_capacity(b.len() + 1);
        let mut left = row + 1;
        current.push(left);
        for (column, y) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut best =
                (at(&last, column) + usize::from(x != *y)).min(at(&last, column + 1) + 1).min(left + 1);
            let swapped =
                column.checked_sub(1).filter(|before| previous == Some(*y) && b.get(*before) == Some(&x));
            if let Some(before) = swapped {
                best = best.min(at(&before_last, before) + 1);
            }
            left = best;
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(x);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_a_few_slips_away() {
        let fields = ["redirectFrontend", "redirectBackend", "skipRedirectFromBackend"];
        assert_eq!(nearest("redirectBackends", fields), Some("redirectBackend"));
        assert_eq!(nearest("RedirectFrontend", fields), Some("redirectFrontend"));
        assert_eq!(nearest("status", fields), None);
        assert_eq!(
            (nearest("b", ["a"]), nearest("tcp", ["udp"]), nearest("dnss", ["dns"])),
            (None, None, Some("dns"))
        );
        assert_eq!((distance("prot", "port"), distance("", "ab"), distance("abc", "abc")), (1, 2, 0));
    }
}
