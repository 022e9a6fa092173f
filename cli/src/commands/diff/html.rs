//! A comparison as one page: no request to anywhere, readable without JavaScript, which adds a filter.

use std::fmt::{self, Write as _};

use lrpc_linker::diff::Change;

use super::fold::{self, Fold, place};
use super::group::{Counts, Group, groups, not_breaking};
use super::human::sign_of;
use super::view::{DiffView, ExistingView, FrontendDiff, Titles};
use super::words::{Line, Tone};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The whole page.
pub(super) fn render(view: &DiffView, titles: &Titles) -> String {
    let Titles { old, new } = titles;
    let (old, new) = (Text(old), Text(new));
    let mut page = String::new();
    // Writing to a `String` cannot fail, here and below.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>lrpc diff: {old} → {new}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Local redirect policies</h1>\n\
         <p class=\"sides\"><code>{old}</code> <span aria-hidden=\"true\">→</span>\
         <span class=\"hidden\">to</span> <code>{new}</code></p>\n</header>\n<main>\n"
    );
    if view.same {
        page += "<p class=\"same\">The two are the same.</p>\n";
    } else {
        let groups = groups(view);
        summary(&mut page, view, &groups);
        page += "<div id=\"filter\" hidden></div>\n";
        for group in &groups {
            policy(&mut page, group, &view.compared);
        }
    }
    let _ = write!(
        page,
        "</main>\n<footer>lrpc {}</footer>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    page
}

fn summary(page: &mut String, view: &DiffView, groups: &[Group<'_>]) {
    let counts = Counts::of(view, groups);
    *page += "<section aria-label=\"Summary\">\n<dl class=\"counts\">\n";
    let figures = [
        ("Policies that break", counts.breaking, if counts.breaking > 0 { "bad" } else { "" }),
        ("Frontends added", counts.added, ""),
        ("Frontends removed", counts.removed, ""),
        ("Frontends changed", counts.changed, ""),
        ("Nodes that change", counts.nodes, ""),
    ];
    for (label, count, class) in figures {
        let _ = writeln!(page, "<div class=\"{class}\"><dt>{label}</dt><dd>{count}</dd></div>");
    }
    *page += "</dl>\n";
    if !counts.without_backend.is_empty() {
        *page += "<div class=\"warning\">\n<h2>Left without a local backend</h2>\n<ul>\n";
        for (frontends, nodes) in &counts.without_backend {
            let _ = write!(page, "<li><strong>{}</strong>: ", Text(&place(nodes, &view.compared)));
            for (index, frontend) in frontends.iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                let _ = write!(page, "{comma}<code>{}</code>", Text(frontend));
            }
            *page += "</li>\n";
        }
        *page += "</ul>\n</div>\n";
    }
    if let Some(lists) = &view.allowed_addresses {
        let (old, new) = lists.words();
        let (old, new) = (Text(&old), Text(&new));
        let _ = writeln!(page, "<p>Allowed addresses: <del>{old}</del> → <ins>{new}</ins></p>");
    }
    if let Some(words) = view.existing.as_ref().and_then(ExistingView::words) {
        let _ = writeln!(page, "<p>{words}.</p>");
    }
    if view.not_shown > 0 {
        let _ = writeln!(page, "<p>{}.</p>", not_breaking(view.not_shown));
    }
    if view.compared.is_empty() {
        *page += "<p>No node was looked at: there is no inventory.</p>\n";
    }
    *page += "</section>\n";
}

fn policy(page: &mut String, group: &Group<'_>, compared: &[String]) {
    let breaks = group.breaks();
    let name = group.policy.unwrap_or("Frontends whose policy is not known");
    let _ = write!(
        page,
        "<details open class=\"policy\" data-breaking=\"{breaks}\">\n<summary><h2>{}</h2>",
        Text(name)
    );
    let said = group.change.map_or("nodes only", Change::as_str);
    let _ = write!(page, "<span class=\"badge\">{said}</span>");
    if breaks {
        *page += "<span class=\"badge bad\">breaking</span>";
    }
    *page += "</summary>\n";
    if let Some(at) = group.at {
        let _ = writeln!(page, "<p class=\"at\">{}</p>", Text(at));
    }
    if let Some(refusal) = group.refusal() {
        let refusal = refusal.replacen("the API", "The API", 1);
        let _ = writeln!(page, "<p class=\"note\">{}.</p>", Text(&refusal));
    }
    if group.is_quiet() {
        *page += "<p>No frontend is treated differently for it.</p>\n";
    }
    for (names, frontend) in fold::frontends(&group.frontends) {
        one_change(page, &names, frontend);
    }
    if !group.folds.is_empty() {
        *page += "<h3>On the nodes</h3>\n";
    }
    for fold in &group.folds {
        one_fold(page, fold, compared);
    }
    *page += "</details>\n";
}

fn one_change(page: &mut String, names: &[&str], frontend: &FrontendDiff) {
    head(page, frontend.change, frontend.tone, names, &frontend.breaking);
    lines(page, &frontend.lines);
    *page += "</article>\n";
}

fn one_fold(page: &mut String, fold: &Fold<'_>, compared: &[String]) {
    let _ = writeln!(page, "<section class=\"node\">\n<h4>{}</h4>", Text(&fold.place(compared)));
    head(page, fold.row.change, fold.tone(), &fold.frontends, fold.breaking());
    if fold.row.loses_last_backend {
        let lose = if fold.nodes.len() == 1 { "loses its" } else { "lose their" };
        let _ = writeln!(page, "<p class=\"lost\">{lose} last local backend</p>");
    }
    lines(page, &fold.row.lines);
    match (fold.nodes.as_slice(), fold.stands_for_others) {
        ([first, _, ..], true) => {
            let _ = writeln!(page, "<p class=\"at\">Of {}; alike on the others.</p>", Text(first));
            *page += "<details class=\"each\"><summary>Each node</summary>\n";
            for (node, row) in &fold.rows {
                let _ = writeln!(page, "<h5>{}</h5>", Text(node));
                let own = row.lines.iter().filter(|line| line.alike.is_some());
                lines(page, &own.cloned().collect::<Vec<_>>());
            }
            *page += "</details>\n";
        }
        (nodes @ [_, _, ..], false) => {
            let nodes = nodes.join(", ");
            let _ = writeln!(
                page,
                "<details class=\"each\"><summary>Each node</summary><p>{}</p></details>",
                Text(&nodes)
            );
        }
        _ => {}
    }
    *page += "</article>\n</section>\n";
}

fn head(page: &mut String, change: Change, tone: Tone, frontends: &[&str], breaking: &[&str]) {
    let _ = write!(
        page,
        "<article class=\"{}\">\n<p class=\"frontend\"><span class=\"sign\" aria-hidden=\"true\">{}</span>\
         <span class=\"hidden\">{}</span>",
        tone.as_str(),
        sign_of(change),
        change.as_str()
    );
    for frontend in frontends {
        let _ = write!(page, " <code>{}</code>", Text(frontend));
    }
    for code in breaking {
        let _ = write!(page, " <span class=\"badge bad\">{code}</span>");
    }
    *page += "</p>\n";
}

fn lines(page: &mut String, lines: &[Line]) {
    if lines.is_empty() {
        return;
    }
    *page += "<dl class=\"lines\">\n";
    for line in lines {
        let _ = write!(page, "<div class=\"{}\"><dt>{}</dt><dd>", line.tone.as_str(), line.label);
        if let Some(old) = &line.old {
            let _ = write!(page, "<del>{}</del>", Text(old));
        }
        if line.old.is_some() && line.new.is_some() {
            *page += " → ";
        }
        if let Some(new) = &line.new {
            let _ = write!(page, "<ins>{}</ins>", Text(new));
        }
        *page += "</dd></div>\n";
    }
    *page += "</dl>\n";
}

/// Text as it is, also in an attribute.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        assert_eq!(Text("<b a=\"x\">&'").to_string(), "&lt;b a=&quot;x&quot;&gt;&amp;&#39;");
    }

    /// A reviewer's machine may have no way out, and a page from a pipeline must not ask for one.
    #[test]
    fn the_page_asks_for_nothing() {
        for part in [STYLE, SCRIPT] {
            for word in ["http:", "https:", "url(", "@import", "fetch(", "src="] {
                assert!(!part.contains(word), "{word}");
            }
        }
    }
}
