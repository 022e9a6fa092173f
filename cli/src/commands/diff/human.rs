//! A comparison for the terminal: `+` comes, `-` goes, `~` changes.

use std::fmt::Write as _;

use super::group::{Counts, Group, groups, not_breaking};
use super::view::{DiffView, RowDiff, Titles};
use super::words::Line;

/// The whole comparison.
pub(super) fn render(view: &DiffView, titles: &Titles, colors: bool) -> String {
    let paint = Paint { colors };
    let mut text = String::new();
    // Writing to a `String` cannot fail, here and below.
    if view.same {
        let _ = writeln!(text, "{} and {} are the same", titles.old, titles.new);
        return text;
    }
    let _ = writeln!(text, "{}", paint.bold(&format!("{} → {}", titles.old, titles.new)));
    if let Some(lists) = &view.allowed_addresses {
        let (old, new) = lists.words();
        let _ = writeln!(text, "\n{} allowed addresses  {old} → {new}", paint.sign("~"));
    }
    let groups = groups(view);
    for group in &groups {
        text.push('\n');
        render_group(&mut text, group, paint);
    }
    let counts = Counts::of(view, &groups);
    let _ = writeln!(text, "\n{}", paint.bold(&counts.summary()));
    for (node, frontends) in &counts.without_backend {
        let lost = format!("{node} loses its last local backend for {}", frontends.join(", "));
        let _ = writeln!(text, "{} {lost}", paint.bad("!"));
    }
    if view.not_shown > 0 {
        let _ = writeln!(text, "{}", not_breaking(view.not_shown));
    }
    text
}

fn render_group(text: &mut String, group: &Group<'_>, paint: Paint) {
    let sign = group.change.map_or(" ", sign_of);
    let name = group.policy.unwrap_or("frontends whose policy is not known");
    let _ = write!(text, "{} {}", paint.sign(sign), paint.bold(name));
    if let Some(at) = group.at {
        let _ = write!(text, "  {}", paint.dim(at));
    }
    text.push('\n');
    if let Some(refusal) = group.refusal() {
        let _ = writeln!(text, "    {}", paint.dim(&format!("note: {refusal}")));
    }
    if group.is_quiet() {
        text.push_str("    no frontend is treated differently for it\n");
    }
    for frontend in &group.frontends {
        let _ = write!(text, "  {} {}", paint.sign(sign_of(frontend.change)), frontend.frontend);
        // A line that breaks says so itself.
        let said: Vec<_> = frontend.lines.iter().filter_map(|line| line.breaking).collect();
        let unsaid = frontend.breaking.iter().filter(|code| !said.contains(code));
        for code in unsaid {
            let _ = write!(text, "  {}", paint.bad(&format!("breaking: {code}")));
        }
        text.push('\n');
        render_lines(text, &frontend.lines, "      ", paint);
    }
    for (node, rows) in &group.nodes {
        let _ = writeln!(text, "    on node {}", paint.bold(node));
        for row in rows {
            render_row(text, row, paint);
        }
    }
}

fn render_row(text: &mut String, row: &RowDiff, paint: Paint) {
    let _ = write!(text, "      {} {}", paint.sign(sign_of(row.change)), row.frontend);
    for code in &row.breaking {
        let _ = write!(text, "  {}", paint.bad(&format!("breaking: {code}")));
    }
    text.push('\n');
    render_lines(text, &row.lines, "          ", paint);
}

fn render_lines(text: &mut String, lines: &[Line], indent: &str, paint: Paint) {
    let width = lines.iter().map(|line| line.label.len()).max().unwrap_or_default();
    for Line { label, old, new, breaking } in lines {
        let (sign, value) = match (old, new) {
            (Some(old), Some(new)) => ("~", format!("{old} → {new}")),
            (Some(old), None) => ("-", old.clone()),
            (None, Some(new)) => ("+", new.clone()),
            (None, None) => continue,
        };
        let _ = write!(text, "{indent}{} {label:width$}  {value}", paint.sign(sign));
        if let Some(code) = breaking {
            let _ = write!(text, "  {}", paint.bad(&format!("breaking: {code}")));
        }
        text.push('\n');
    }
}

/// The sign of a change.
pub(super) fn sign_of(change: &str) -> &'static str {
    match change {
        "added" => "+",
        "removed" => "-",
        _ => "~",
    }
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint {
    colors: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.colors { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    fn sign(self, sign: &str) -> String {
        match sign {
            "+" => self.with("32", sign),
            "-" => self.with("31", sign),
            "~" => self.with("33", sign),
            other => other.to_owned(),
        }
    }
}
