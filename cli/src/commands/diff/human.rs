//! A comparison for the terminal: `+` comes, `-` goes, `~` changes; what breaks stands first and is red, and the
//! summary stands where the reader's eye is, at the end.

use std::collections::HashSet;

use lrpc_linker::diff::Change;

use super::fold::{self, Fold, place};
use super::group::{Counts, Group, groups, not_breaking};
use super::view::{DiffView, ExistingView, Titles};
use super::words::{Line, STATE, Tone};
use crate::output::{Style, Text};

/// Frontends that are named in one line.
const NAMED: usize = 4;

/// The whole comparison.
pub(super) fn render(view: &DiffView, titles: &Titles) -> Text {
    let mut text = Text::default();
    let Titles { old, new } = titles;
    if view.same {
        return Text::from(format!("{old} and {new} are the same\n"));
    }
    text.paint(Style::Bold, &format!("{old} → {new}")).push("\n");
    if let Some(lists) = &view.allowed_addresses {
        let (old, new) = lists.words();
        text.push("\n").paint(Style::Changed, "~").push(&format!(" allowed addresses  {old} → {new}\n"));
    }
    let groups = groups(view);
    for group in &groups {
        text.push("\n");
        render_group(&mut text, group, &view.compared);
    }
    let counts = Counts::of(view, &groups);
    text.push("\n").paint(Style::Bold, &counts.summary(&view.compared)).push("\n");
    for (frontends, nodes) in &counts.without_backend {
        let lose = if nodes.len() == 1 { "loses its" } else { "lose their" };
        let lost =
            format!(" {} {lose} last local backend for {}\n", place(nodes, &view.compared), some(frontends));
        text.paint(Style::Bad, "!").push(&lost);
    }
    if let Some(words) = view.existing.as_ref().and_then(ExistingView::words) {
        text.paint(Style::Changed, "~").push(&format!(" {words}\n"));
    }
    if view.not_shown > 0 {
        text.push(&not_breaking(view.not_shown)).push("\n");
    }
    text
}

fn render_group(text: &mut Text, group: &Group<'_>, compared: &[String]) {
    let name = group.policy.unwrap_or("frontends whose policy is not known");
    let style = if group.breaks() { Style::Bad } else { Style::Changed };
    text.paint(style, group.change.map_or("~", sign_of)).push(" ").paint(Style::Bold, name);
    if let Some(at) = group.at {
        text.push("  ").paint(Style::Dim, at);
    }
    text.push("\n");
    if let Some(refusal) = group.refusal() {
        text.push("    ").paint(Style::Dim, &format!("note: {refusal}")).push("\n");
    }
    if group.is_quiet() {
        text.push("    no frontend is treated differently for it\n");
    }
    for (names, frontend) in fold::frontends(&group.frontends) {
        text.push("  ").paint(style_of(frontend.tone), sign_of(frontend.change));
        text.push(" ").push(&some(&names));
        // A line that breaks says so itself.
        let said: Vec<_> = frontend.lines.iter().filter_map(|line| line.breaking).collect();
        let unsaid: Vec<_> = frontend.breaking.iter().copied().filter(|code| !said.contains(code)).collect();
        breaking(text, &unsaid);
        text.push("\n");
        render_lines(text, &frontend.lines, "      ");
    }
    let lines = group.frontends.iter().flat_map(|frontend| &frontend.lines);
    let said: HashSet<(&str, String)> = lines.map(|line| (line.label, value(line))).collect();
    for fold in &group.folds {
        render_fold(text, fold, group, &said, compared);
    }
}

/// `on 198 of 200 nodes: redirect → drop (no-ready-backend)`, and below it what else is different there. What stands
/// above for every node is not said again.
fn render_fold(
    text: &mut Text,
    fold: &Fold<'_>,
    group: &Group<'_>,
    said: &HashSet<(&str, String)>,
    compared: &[String],
) {
    text.push("    on ").push(&fold.place(compared));
    if !fold.frontends.iter().eq(group.frontends.iter().map(|frontend| &frontend.frontend)) {
        text.push(", ").push(&some(&fold.frontends));
    }
    let lines = fold.row.lines.iter().filter(|line| !said.contains(&(line.label, value(line)))).cloned();
    let (state, others): (Vec<_>, Vec<_>) = lines.partition(|line| line.label == STATE);
    for line in &state {
        let was = if line.new.is_none() { "was " } else { "" };
        text.push(": ").push(was).paint(style_of(line.tone), &value(line));
    }
    breaking(text, fold.breaking());
    text.push("\n");
    render_lines(text, &others, "        ");
    if fold.stands_for_others
        && let Some(first) = fold.nodes.first()
    {
        text.push("          ").paint(Style::Dim, &format!("(of {first}; alike on the others)")).push("\n");
    }
}

fn render_lines(text: &mut Text, lines: &[Line], indent: &str) {
    let width = lines.iter().map(|line| line.label.len()).max().unwrap_or_default();
    for line in lines {
        text.push(indent).paint(style_of(line.tone), sign(line));
        text.push(&format!(" {:width$}  {}", line.label, value(line)));
        breaking(text, line.breaking.as_slice());
        text.push("\n");
    }
}

/// What a line says, without its label.
fn value(line: &Line) -> String {
    match (&line.old, &line.new) {
        (Some(old), Some(new)) => format!("{old} → {new}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => String::new(),
    }
}

fn sign(line: &Line) -> &'static str {
    match (&line.old, &line.new) {
        (Some(_), None) => "-",
        (None, Some(_)) => "+",
        _ => "~",
    }
}

/// The first of them, and how many more there are.
fn some(frontends: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = frontends.iter().map(AsRef::as_ref).take(NAMED).collect();
    match frontends.len().saturating_sub(names.len()) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn breaking(text: &mut Text, codes: &[&str]) {
    if !codes.is_empty() {
        text.push("  ").paint(Style::Bad, &format!("breaking: {}", codes.join(", ")));
    }
}

fn style_of(tone: Tone) -> Style {
    match tone {
        Tone::Better => Style::Good,
        Tone::Other => Style::Changed,
        Tone::Worse => Style::Bad,
    }
}

/// The sign of a change.
pub(super) const fn sign_of(change: Change) -> &'static str {
    match change {
        Change::Added => "+",
        Change::Removed => "-",
        Change::Changed => "~",
    }
}
