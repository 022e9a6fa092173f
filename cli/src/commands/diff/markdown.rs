//! A comparison for a comment on a pull request: a short summary, a table of frontends, and the nodes folded
//! away.
//!
//! GitHub refuses a comment of more than 65,536 characters, so what is too long is counted and left out.

use std::fmt::Write as _;

use super::group::{Counts, groups, not_breaking};
use super::human::sign_of;
use super::view::{DiffView, Titles};
use super::words::Line;

/// Bytes after which no row is added, with room left for what follows.
const BUDGET: usize = 56_000;

/// The whole comparison.
pub(super) fn render(view: &DiffView, titles: &Titles) -> String {
    let mut text = String::from("### Local redirect policies\n\n");
    // Writing to a `String` cannot fail, here and below.
    if view.same {
        let _ = writeln!(text, "{} and {} are the same.", code(&titles.old), code(&titles.new));
        return text;
    }
    let groups = groups(view);
    let counts = Counts::of(view, &groups);
    let _ = writeln!(text, "{} → {}: {}.\n", code(&titles.old), code(&titles.new), counts.summary());
    warnings(&mut text, &counts);
    if let Some(lists) = &view.allowed_addresses {
        let (old, new) = lists.words();
        let _ = writeln!(text, "Allowed addresses: {} → {}\n", code(&old), code(&new));
    }
    let mut left_out = 0;
    let mut add = |text: &mut String, row: String| {
        if text.len() + row.len() > BUDGET {
            left_out += 1;
        } else {
            *text += &row;
        }
    };
    if groups.iter().any(|group| group.is_quiet() || !group.frontends.is_empty()) {
        text += "| | Policy | Frontend | Change |\n|---|---|---|---|\n";
    }
    for group in &groups {
        let policy = group.policy.unwrap_or("unknown");
        if group.is_quiet() {
            let sign = group.change.map_or("", sign_of);
            let said = "no frontend is treated differently for it";
            add(&mut text, format!("| `{sign}` | {} | | {said} |\n", code(policy)));
        }
        for frontend in &group.frontends {
            let (sign, name) = (sign_of(frontend.change), code(&frontend.frontend));
            let change = cell(&frontend.lines, &frontend.breaking);
            add(&mut text, format!("| `{sign}` | {} | {name} | {change} |\n", code(policy)));
        }
    }
    let notes = groups.iter().filter_map(|group| Some((group.policy?, group.refusal()?)));
    let notes: Vec<_> = notes.map(|(policy, note)| format!("- {}: {note}\n", code(policy))).collect();
    if !notes.is_empty() {
        text += "\n";
        for note in notes {
            add(&mut text, note);
        }
    }
    if counts.nodes > 0 {
        let nodes =
            if counts.nodes == 1 { "1 node changes" } else { &format!("{} nodes change", counts.nodes) };
        let _ = writeln!(text, "\n<details><summary>{nodes}</summary>\n");
        text += "| | Node | Policy | Frontend | Change |\n|---|---|---|---|---|\n";
        for group in &groups {
            let policy = code(group.policy.unwrap_or("unknown"));
            for (node, rows) in &group.nodes {
                let node = code(node);
                for row in rows {
                    let (sign, name) = (sign_of(row.change), code(&row.frontend));
                    let change = cell(&row.lines, &row.breaking);
                    add(&mut text, format!("| `{sign}` | {node} | {policy} | {name} | {change} |\n"));
                }
            }
        }
        text += "\n</details>\n";
    }
    if left_out > 0 {
        let _ = writeln!(text, "\n{left_out} more, too many for a comment: see `lrpc diff --format html`.");
    }
    if view.not_shown > 0 {
        let _ = writeln!(text, "\n{}.", not_breaking(view.not_shown));
    }
    text
}

/// What a reviewer must not miss.
fn warnings(text: &mut String, counts: &Counts) {
    /// Nodes that are named.
    const SHOWN: usize = 10;
    if counts.breaking == 0 && counts.without_backend.is_empty() {
        return;
    }
    *text += "> [!WARNING]\n";
    if counts.breaking > 0 {
        let policies = if counts.breaking == 1 { "policy breaks" } else { "policies break" };
        let _ = writeln!(text, "> {} {policies}.", counts.breaking);
    }
    for (node, frontends) in counts.without_backend.iter().take(SHOWN) {
        let frontends: Vec<_> = frontends.iter().take(SHOWN).map(|frontend| code(frontend)).collect();
        let _ = writeln!(
            text,
            "> Node {} loses its last local backend for {}.",
            code(node),
            frontends.join(", ")
        );
    }
    if let Some(more) = counts.without_backend.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "> So do {more} more nodes.");
    }
    text.push('\n');
}

/// Every line of a change in one cell.
fn cell(lines: &[Line], breaking: &[&str]) -> String {
    let line = |line: &Line| match (&line.old, &line.new) {
        (Some(old), Some(new)) => format!("{}: {} → {}", line.label, code(old), code(new)),
        (Some(old), None) => format!("{}: <del>{}</del>", line.label, code(old)),
        (None, Some(new)) => format!("{}: {}", line.label, code(new)),
        (None, None) => String::new(),
    };
    let mut parts: Vec<_> = lines.iter().map(line).collect();
    parts.extend(breaking.iter().map(|code| format!("**breaking: {code}**")));
    parts.join("<br>")
}

/// Text as it is: no markup, no table border, no mention of a user.
fn code(text: &str) -> String {
    let mut escaped = String::from("<code>");
    for character in text.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | '/' | '-' | ',' | '=' | '(' | ')' => {
                escaped.push(character);
            }
            // Names are mostly ASCII letters; of the rest nothing is left to chance.
            other if other.is_ascii() => {
                let _ = write!(escaped, "&#{};", u32::from(other));
            }
            other => escaped.push(other),
        }
    }
    escaped + "</code>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        assert_eq!(code("a|b`*@x<"), "<code>a&#124;b&#96;&#42;&#64;x&#60;</code>");
        assert_eq!(code("line\nbreak ü"), "<code>line&#10;break ü</code>");
    }
}
