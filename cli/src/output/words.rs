//! Words for people: numbers with their nouns, and names that no line break tears.

/// Stands for a space in backticks while lines are broken. Unicode keeps it free for such uses.
const UNBROKEN: char = '\u{fdd0}';

/// `1 policy`, `2 policies`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Words in which no line is broken within backticks, until [`broken`] has them back.
pub(crate) fn unbroken(words: &str) -> String {
    let pieces = words.split('`').enumerate().map(|(number, piece)| match number % 2 {
        1 => piece.replace(' ', UNBROKEN.encode_utf8(&mut [0; 4])),
        _ => piece.to_owned(),
    });
    pieces.collect::<Vec<_>>().join("`")
}

/// What [`unbroken`] made, once its lines are broken.
pub(crate) fn broken(lines: &str) -> String {
    lines.replace(UNBROKEN, " ")
}
