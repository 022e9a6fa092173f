//! Two sorted lists side by side.

use std::cmp::Ordering;

/// Every element of either list, the equal ones together. Both lists are sorted by `order` and have no two
/// equal elements.
pub(super) fn join<'a, T>(
    mut old: &'a [T],
    mut new: &'a [T],
    order: impl Fn(&T, &T) -> Ordering,
) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
    std::iter::from_fn(move || {
        let next = match (old.first(), new.first()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => order(old, new),
        };
        let left = if next.is_le() { take(&mut old) } else { None };
        let right = if next.is_ge() { take(&mut new) } else { None };
        Some((left, right))
    })
}

fn take<'a, T>(list: &mut &'a [T]) -> Option<&'a T> {
    let (first, rest) = list.split_first()?;
    *list = rest;
    Some(first)
}
