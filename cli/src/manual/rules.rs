//! The rules by number, as `docs/semantics.md` states them.

use std::borrow::Cow;

use super::{Entry, Kind};

const SEMANTICS: &str = include_str!("../../../docs/semantics.md");

/// Characters of a rule's first words that a list shows.
const SUMMARY: usize = 72;

/// Every rule, in the order of the document.
pub(super) fn all() -> Vec<Entry> {
    let mut entries = Vec::new();
    for item in items() {
        let (numbers, words) = numbers(&item);
        for number in numbers {
            entries.push(Entry {
                name: Cow::Owned(number.clone()),
                kind: Kind::Rule,
                severity: None,
                summary: Cow::Owned(summary(words)),
                since: super::FIRST,
                page: Cow::Owned(format!("# {number}\n\n{}\n", words.trim_end())),
            });
        }
    }
    entries
}

/// The items of the lists of rules, without their indentation.
fn items() -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in SEMANTICS.lines() {
        if line.starts_with("- **") {
            items.push(String::new());
            is_open = true;
        } else if !line.is_empty() && !line.starts_with(' ') {
            is_open = false;
        }
        if let Some(item) = items.last_mut().filter(|_| is_open) {
            item.push_str(line.strip_prefix("- ").or_else(|| line.strip_prefix("  ")).unwrap_or(line));
            item.push('\n');
        }
    }
    items
}

/// The numbers that an item begins with, `**R40**, **R41** words`, and its words.
fn numbers(item: &str) -> (Vec<String>, &str) {
    let (mut numbers, mut rest) = (Vec::new(), item);
    while let Some((number, after)) = rest.strip_prefix("**").and_then(|rest| rest.split_once("**")) {
        if !is_number(number) {
            break;
        }
        numbers.push(number.to_owned());
        rest = after.trim_start_matches([',', ' ']);
    }
    (numbers, rest)
}

/// `R4`, `D11`, `L20`.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['R', 'D', 'L']).unwrap_or_default();
    (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The first words, on one line.
fn summary(words: &str) -> String {
    let words = words.trim_start_matches(['†', ' ']).replace('*', "");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = words.find(". ").unwrap_or(words.len());
    let first = words.get(..end).unwrap_or_default().trim_end_matches(['.', ':']);
    match first.char_indices().nth(SUMMARY) {
        None => first.to_owned(),
        Some((cut, _)) => {
            let short = first.get(..cut).unwrap_or_default();
            let whole = short.rsplit_once(' ').map_or(short, |(whole, _)| whole);
            format!("{whole} …")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: &str) -> String {
        let entry = all().into_iter().find(|entry| entry.name == number).unwrap();
        entry.page.into_owned()
    }

    #[test]
    fn no_number_is_missing_and_none_twice() {
        let names: Vec<String> = all().into_iter().map(|entry| entry.name.into_owned()).collect();
        for (letter, last) in [('R', 44), ('D', 18), ('L', 20)] {
            for number in 1..=last {
                let number = format!("{letter}{number}");
                assert_eq!(names.iter().filter(|name| **name == number).count(), 1, "{number}");
            }
        }
        assert_eq!(names.len(), 44 + 18 + 20);
    }

    #[test]
    fn a_page_is_the_whole_rule() {
        assert_eq!(page("R41"), page("R40").replace("# R40", "# R41"));
        assert!(page("R1").contains("| service-all | Service, no port listed | `all` |"), "{}", page("R1"));
        assert!(page("L8").ends_with("the backends are the Service's own pods.\n"), "{}", page("L8"));
        assert!(page("R5").starts_with("# R5\n\nA backend is either active or gone."), "{}", page("R5"));
    }

    #[test]
    fn summaries_are_one_line() {
        for entry in all() {
            assert!(!entry.summary.is_empty() && entry.summary.chars().count() <= SUMMARY + 2, "{entry:?}");
        }
    }
}
