//! A comparison for the terminal: `+` comes, `-` goes, `~` changes.

use super::group::{Counts, Group, groups, not_breaking};
use super::view::{DiffView, RowDiff, Titles};
use super::words::Line;
use crate::output::{Style, Text};

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
        render_group(&mut text, group);
    }
    let counts = Counts::of(view, &groups);
    text.push("\n").paint(Style::Bold, &counts.summary()).push("\n");
    for (node, frontends) in &counts.without_backend {
        let lost = format!(" {node} loses its last local backend for {}\n", frontends.join(", "));
        text.paint(Style::Bad, "!").push(&lost);
    }
    if view.not_shown > 0 {
        text.push(&not_breaking(view.not_shown)).push("\n");
    }
    text
}

fn render_group(text: &mut Text, group: &Group<'_>) {
    let name = group.policy.unwrap_or("frontends whose policy is not known");
    sign(text, group.change.map_or(" ", sign_of)).push(" ").paint(Style::Bold, name);
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
    for frontend in &group.frontends {
        sign(text.push("  "), sign_of(frontend.change)).push(" ").push(&frontend.frontend);
        // A line that breaks says so itself.
        let said: Vec<_> = frontend.lines.iter().filter_map(|line| line.breaking).collect();
        let unsaid = frontend.breaking.iter().filter(|code| !said.contains(code));
        unsaid.for_each(|code| breaking(text, code));
        text.push("\n");
        render_lines(text, &frontend.lines, "      ");
    }
    for (node, rows) in &group.nodes {
        text.push("    on node ").paint(Style::Bold, node).push("\n");
        for row in rows {
            render_row(text, row);
        }
    }
}

fn render_row(text: &mut Text, row: &RowDiff) {
    sign(text.push("      "), sign_of(row.change)).push(" ").push(&row.frontend);
    row.breaking.iter().for_each(|code| breaking(text, code));
    text.push("\n");
    render_lines(text, &row.lines, "          ");
}

fn render_lines(text: &mut Text, lines: &[Line], indent: &str) {
    let width = lines.iter().map(|line| line.label.len()).max().unwrap_or_default();
    for Line { label, old, new, breaking: code } in lines {
        let (change, value) = match (old, new) {
            (Some(old), Some(new)) => ("~", format!("{old} → {new}")),
            (Some(old), None) => ("-", old.clone()),
            (None, Some(new)) => ("+", new.clone()),
            (None, None) => continue,
        };
        sign(text.push(indent), change).push(&format!(" {label:width$}  {value}"));
        if let Some(code) = code {
            breaking(text, code);
        }
        text.push("\n");
    }
}

fn breaking(text: &mut Text, code: &str) {
    text.push("  ").paint(Style::Bad, &format!("breaking: {code}"));
}

fn sign<'t>(text: &'t mut Text, sign: &str) -> &'t mut Text {
    let style = match sign {
        "+" => Style::Good,
        "-" => Style::Gone,
        "~" => Style::Changed,
        _ => Style::Plain,
    };
    text.paint(style, sign)
}

/// The sign of a change.
pub(super) fn sign_of(change: &str) -> &'static str {
    match change {
        "added" => "+",
        "removed" => "-",
        _ => "~",
    }
}
