//! A comparison for a comment on a pull request: a short summary, a table of frontends, and the nodes folded
//! away.
//!
//! GitHub refuses a comment of more than 65,536 characters, so what is too long is counted and left out.

use std::fmt::Write as _;

use lrpc_linker::diff::Change;

use super::fold::{self, place};
use super::group::{Counts, groups, not_breaking};
use super::human::sign_of;
use super::view::{DiffView, ExistingView, Titles};
use super::words::{Line, Tone};
use crate::output::counted;

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
    let _ = writeln!(
        text,
        "{} → {}: {}.\n",
        code(&titles.old),
        code(&titles.new),
        counts.summary(&view.compared)
    );
    warnings(&mut text, &counts, &view.compared);
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
            let mark = group.change.map_or(String::new(), |change| mark(change, Tone::Other));
            let said = "no frontend is treated differently for it";
            add(&mut text, format!("| {mark} | {} | | {said} |\n", code(policy)));
        }
        for (names, frontend) in fold::frontends(&group.frontends) {
            let mark = mark(frontend.change, frontend.tone);
            let name = names.into_iter().map(code).collect::<Vec<_>>().join("<br>");
            let change = cell(&frontend.lines, &frontend.breaking);
            add(&mut text, format!("| {mark} | {} | {name} | {change} |\n", code(policy)));
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
        let nodes = counted(counts.nodes, "node changes", "nodes change");
        let _ = writeln!(text, "\n<details><summary>{nodes}</summary>\n");
        text += "| | On | Policy | Frontend | Change |\n|---|---|---|---|---|\n";
        for group in &groups {
            let policy = code(group.policy.unwrap_or("unknown"));
            for fold in &group.folds {
                let (mark, place) = (mark(fold.row.change, fold.tone()), code(&fold.place(&view.compared)));
                let names: Vec<_> = fold.frontends.iter().map(|frontend| code(frontend)).collect();
                let mut change = cell(&fold.row.lines, fold.breaking());
                if let Some(first) = fold.nodes.first().filter(|_| fold.stands_for_others) {
                    let _ = write!(change, "<br>(of {}; alike on the others)", code(first));
                }
                let names = names.join("<br>");
                add(&mut text, format!("| {mark} | {place} | {policy} | {names} | {change} |\n"));
            }
        }
        text += "\n</details>\n";
    }
    if left_out > 0 {
        let _ = writeln!(text, "\n{left_out} more, too many for a comment: see `lrpc diff --format html`.");
    }
    if let Some(words) = view.existing.as_ref().and_then(ExistingView::words) {
        let _ = writeln!(text, "\n{words}.");
    }
    if view.not_shown > 0 {
        let _ = writeln!(text, "\n{}.", not_breaking(view.not_shown));
    }
    text
}

/// What a reviewer must not miss.
fn warnings(text: &mut String, counts: &Counts, compared: &[String]) {
    /// Lines and frontends that are told.
    const SHOWN: usize = 10;
    if counts.breaking == 0 && counts.without_backend.is_empty() {
        return;
    }
    *text += "> [!WARNING]\n";
    if counts.breaking > 0 {
        let _ = writeln!(text, "> {}.", counted(counts.breaking, "policy breaks", "policies break"));
    }
    for (frontends, nodes) in counts.without_backend.iter().take(SHOWN) {
        let frontends: Vec<_> = frontends.iter().take(SHOWN).map(|frontend| code(frontend)).collect();
        let lose = if nodes.len() == 1 { "loses its" } else { "lose their" };
        let place = code(&place(nodes, compared));
        let _ = writeln!(text, "> {place} {lose} last local backend for {}.", frontends.join(", "));
    }
    if let Some(more) = counts.without_backend.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "> And so on, {more} more times.");
    }
    text.push('\n');
}

/// The sign of a change, marked where it breaks something: a comment has no colours.
fn mark(change: Change, tone: Tone) -> String {
    let sign = sign_of(change);
    match tone {
        Tone::Worse => format!("`{sign}` ⚠️"),
        Tone::Better | Tone::Other => format!("`{sign}`"),
    }
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
