//! A page on a terminal: its paragraphs and list items filled anew to the width; headings, tables and fences as
//! they are.

use textwrap::{Options, WordSeparator, WordSplitter};

use crate::output::{broken, unbroken};

/// Words that belong together, and how their lines are indented.
#[derive(Default)]
struct Paragraph {
    indent: usize,
    hanging: usize,
    words: String,
}

/// The page in lines no longer than this, as far as names allow.
pub(crate) fn filled(page: &str, width: usize) -> String {
    let mut out = String::with_capacity(page.len());
    let mut paragraph = Paragraph::default();
    let mut is_fenced = false;
    for line in page.lines() {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        let is_fence = words.starts_with("```");
        if is_fence || is_fenced || words.is_empty() || words.starts_with(['#', '|']) {
            paragraph.end(&mut out, width);
            out.push_str(line);
            out.push('\n');
            is_fenced ^= is_fence;
            continue;
        }
        let marker = marker(words);
        if marker > 0 || paragraph.words.is_empty() {
            paragraph.end(&mut out, width);
            paragraph = Paragraph { indent, hanging: indent + marker, words: words.to_owned() };
        } else {
            paragraph.words.push(' ');
            paragraph.words.push_str(words);
        }
    }
    paragraph.end(&mut out, width);
    out
}

/// Characters of what makes a line a list item: `- `, `1. `.
fn marker(words: &str) -> usize {
    let digits = words.bytes().take_while(u8::is_ascii_digit).count();
    let is_numbered = digits > 0 && words.get(digits..).is_some_and(|rest| rest.starts_with(". "));
    match (words.starts_with("- "), is_numbered) {
        (true, _) => 2,
        (_, true) => digits + 2,
        _ => 0,
    }
}

impl Paragraph {
    fn end(&mut self, out: &mut String, width: usize) {
        if self.words.is_empty() {
            return;
        }
        let (first, rest) = (" ".repeat(self.indent), " ".repeat(self.hanging));
        let options = Options::new(width)
            .initial_indent(&first)
            .subsequent_indent(&rest)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        out.push_str(&broken(&textwrap::fill(&unbroken(&self.words), options)));
        out.push('\n');
        self.words.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_items_are_filled_and_the_rest_is_kept() {
        let page = "# a page of a long name that stays\n\none two three\nfour `five six` seven\n\n\
                    - eight nine\n  ten eleven twelve\n  1. thirteen\n\n```yaml\nkept: as it is, however long\n```\n";
        let expected = "# a page of a long name that stays\n\none two three four\n`five six` seven\n\n\
                        - eight nine ten\n  eleven twelve\n  1. thirteen\n\n```yaml\nkept: as it is, however long\n```\n";
        assert_eq!(filled(page, 18), expected);
    }

    #[test]
    fn no_page_loses_a_word() {
        for entry in crate::manual::all() {
            let filled = filled(&entry.page, 60);
            assert!(filled.split_whitespace().eq(entry.page.split_whitespace()), "{}", entry.name);
        }
    }
}
