//! Every remedy works: what a help line says to write is written, and the policy is checked again. Nothing may be
//! left but what the diagnostic's own page announces.
//!
//! A remedy that names its text is followed to the letter, each alternative by itself: ``write `X` `` and its like
//! replace what is underlined, an annotation and a comment are added, a field is set. A page whose help names no
//! text is followed by its good example.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a panic is how a test fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What `check` finds in a policy, with an inventory and with more arguments.
fn check(policy: &str, inventory: Option<&str>, more: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.yaml"), policy.replace('␀', "\0")).unwrap();
    let mut lrpc = Command::new(env!("CARGO_BIN_EXE_lrpc"));
    lrpc.current_dir(&folder).args(["check", "policy.yaml", "--format", "json"]).args(more);
    if let Some(inventory) = inventory {
        fs::write(folder.path().join("inventory.yaml"), inventory).unwrap();
        lrpc.args(["--inventory", "inventory.yaml"]);
    }
    let output = lrpc.output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn number(value: &Value, field: &str) -> usize {
    usize::try_from(value[field].as_u64().unwrap()).unwrap()
}

fn codes(found: &[Value]) -> BTreeSet<String> {
    found.iter().map(|one| text(one, "code").to_owned()).collect()
}

/// What is in backticks behind a word of a help line.
fn named<'h>(help: &'h str, word: &str) -> Vec<&'h str> {
    let behind = help.match_indices(word).map(|(at, _)| &help[at + word.len()..]);
    behind.filter_map(|rest| rest.strip_prefix('`')?.split('`').next()).collect()
}

/// The policy after each of the things that a help line says to write; empty where it names no text.
fn followed(policy: &str, found: &Value) -> Vec<String> {
    let help = text(found, "help");
    let mut ways = Vec::new();
    if !found["line"].is_null() && found["line"] == found["endLine"] {
        for word in ["write ", "did you mean ", "in quotes: ", "or "] {
            for wanted in named(help, word) {
                let is_comment = wanted.starts_with("# lrpc:");
                let is_meant = word != "or " || help.starts_with("write ") && wanted.starts_with('"');
                if is_meant && !(is_comment && word == "or ") {
                    ways.push(replaced(policy, found, wanted));
                }
            }
        }
        for comment in help.split('`').filter(|part| part.starts_with("# lrpc: allow(")) {
            if !help.contains(&format!("write `{comment}`")) {
                ways.push(on_line(policy, found, comment));
            }
        }
    }
    if help.contains("remove it and annotate") {
        return vec![without(policy, found)];
    }
    for annotation in help.split('`').filter(|part| part.starts_with("lrpc.dev/") && part.contains(": ")) {
        ways.push(annotated(policy, annotation));
    }
    for field in named(help, "set ").into_iter().filter(|field| field.starts_with("skipRedirect")) {
        ways.push(policy.replacen("\nspec:", &format!("\nspec:\n  {field}"), 1));
    }
    ways
}

/// What is underlined gives way to `wanted`; `key: value` stands for the value where the key stands before it.
fn replaced(policy: &str, found: &Value, wanted: &str) -> String {
    let mut lines: Vec<String> = policy.lines().map(str::to_owned).collect();
    let line = &mut lines[number(found, "line") - 1];
    let at = |column: usize| line.char_indices().map(|(at, _)| at).nth(column - 1).unwrap_or(line.len());
    let (start, end) = (at(number(found, "column")), at(number(found, "endColumn")));
    let value = match wanted.split_once(": ") {
        Some((key, value)) if line[..start].ends_with(&format!("{key}: ")) => value,
        _ => wanted,
    };
    line.replace_range(start..end, value);
    lines.join("\n") + "\n"
}

/// The policy without what stands on the underlined line.
fn without(policy: &str, found: &Value) -> String {
    let mut lines: Vec<_> = policy.lines().collect();
    lines[number(found, "line") - 1] = "";
    lines.join("\n") + "\n"
}

fn on_line(policy: &str, found: &Value, comment: &str) -> String {
    let mut lines: Vec<String> = policy.lines().map(str::to_owned).collect();
    lines[number(found, "line") - 1] += &format!(" {comment}");
    lines.join("\n") + "\n"
}

fn annotated(policy: &str, annotation: &str) -> String {
    let key = annotation.split(':').next().unwrap();
    let kept: Vec<_> = policy.lines().filter(|line| !line.trim_start().starts_with(key)).collect();
    let kept = kept.join("\n") + "\n";
    match kept.contains("\n  annotations:\n") {
        true => kept.replacen("\n  annotations:\n", &format!("\n  annotations:\n    {annotation}\n"), 1),
        false => {
            kept.replacen("\nmetadata:\n", &format!("\nmetadata:\n  annotations:\n    {annotation}\n"), 1)
        }
    }
}

struct Page {
    code: String,
    text: String,
}

impl Page {
    fn examples(&self, language: &str) -> Vec<&str> {
        let begin = format!("```{language}\n");
        self.text.split(begin.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
    }

    /// The codes that the page itself speaks of.
    fn announced(&self, pages: &[Self]) -> BTreeSet<String> {
        let is_named = |code: &&String| **code != self.code && self.text.contains(&format!("`{code}`"));
        pages.iter().map(|page| &page.code).filter(is_named).cloned().collect()
    }
}

fn pages() -> Vec<Page> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_lrpc")).args(["explain", "--format", "json"]).output().unwrap();
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let page =
        |page: &Value| Page { code: text(page, "code").to_owned(), text: text(page, "page").to_owned() };
    listed.iter().filter(|page| !page["severity"].is_null()).map(page).collect()
}

/// The arguments and settings that a page speaks of.
fn arguments(code: &str) -> &'static [&'static str] {
    match code {
        "foreign-kind" => &["--strict-kinds"],
        "disallowed-address" => &["--allow-address", "169.254.0.0/16"],
        _ => &[],
    }
}

/// Ways that were followed and left something that no page announces.
fn broken(page: &Page, pages: &[Page], followed_ways: &mut usize) -> Vec<String> {
    let (policies, inventory) = match page.examples("yaml policy") {
        policies if policies.is_empty() => (page.examples("yaml"), None),
        policies => (policies, page.examples("yaml inventory").first().copied()),
    };
    let Some(bad) = policies.first() else { return Vec::new() };
    let announced = page.announced(pages);
    let arguments = arguments(&page.code);
    let mut broken = Vec::new();
    let before = *followed_ways;
    for found in check(bad, inventory, arguments).iter().filter(|found| text(found, "code") == page.code) {
        for way in followed(bad, found) {
            *followed_ways += 1;
            let left = codes(&check(&way, inventory, arguments));
            // A page may show its mistake twice.
            let other = |code: &&String| !announced.contains(*code) && **code != page.code;
            let is_mended = check(&way, inventory, arguments).iter().all(|left| {
                text(left, "code") != page.code
                    || left["line"] != found["line"]
                    || left["column"] != found["column"]
            });
            if left.iter().any(|code| other(&code)) || !is_mended {
                broken.push(format!("{}: `{}` leads to {left:?}\n{way}", page.code, text(found, "help")));
            }
        }
    }
    if *followed_ways == before {
        let inventory = page.examples("yaml inventory").get(1).copied();
        let left =
            policies.get(1).map_or_else(BTreeSet::new, |good| codes(&check(good, inventory, arguments)));
        if left.iter().any(|code| !announced.contains(code)) {
            broken.push(format!("{}: the good example has {left:?}", page.code));
        }
    }
    broken
}

#[test]
fn every_pages_remedy_works() {
    let pages = pages();
    let mut ways = 0;
    let broken: Vec<_> = pages.iter().flat_map(|page| broken(page, &pages, &mut ways)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(ways >= 20, "{ways} remedies were followed");
}

/// The control: a help line that is wrong is found out.
#[test]
fn a_remedy_that_does_not_work_is_found() {
    let pages = pages();
    let page = pages.iter().find(|page| page.code == "port-octal").unwrap();
    let bad = page.examples("yaml")[0];
    let mut found = check(bad, None, &[]).remove(0);
    assert_eq!(codes(&check(&followed(bad, &found)[0], None, &[])), BTreeSet::new());
    for help in ["write `\"0\"`", "write `\"8O\"`", "write `\"010\"`", "write `10`"] {
        found["help"] = help.into();
        assert_ne!(codes(&check(&followed(bad, &found)[0], None, &[])), BTreeSet::new(), "{help}");
    }
    // And so is one that leads to the next finding.
    let doctored = Page { code: "port-zero".into(), text: "```yaml\n".to_owned() + bad + "```\n" };
    assert!(broken(&doctored, &pages, &mut 0).is_empty(), "nothing of that code is in it");
}

/// The same for every mistake in the golden cases: what is written as told is not reported again, and nothing new
/// is reported in its place.
#[test]
fn every_remedy_in_the_cases_works() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/cases");
    let pages = pages();
    let announced: BTreeMap<_, _> =
        pages.iter().map(|page| (page.code.clone(), page.announced(&pages))).collect();
    let (mut ways, mut broken) = (0, Vec::new());
    for entry in fs::read_dir(cases).unwrap() {
        let folder = entry.unwrap().path();
        let is_checked = folder.file_name().unwrap().to_string_lossy().starts_with("check-");
        let Ok(policy) = fs::read_to_string(folder.join("policy.yaml")) else { continue };
        if !is_checked || folder.join("lrpc.toml").exists() || policy.contains('\r') {
            continue;
        }
        let before = check(&policy, None, &[]);
        for found in &before {
            let place = (&found["line"], &found["column"]);
            for way in followed(&policy, found) {
                ways += 1;
                let after = check(&way, None, &[]);
                let at_place = |one: &&Value| (&one["line"], &one["column"]) == place;
                let was_there = |one: &Value| {
                    before.iter().any(|old| {
                        (&old["line"], &old["column"], &old["code"]) == (place.0, place.1, &one["code"])
                    })
                };
                let is_new = |one: &&Value| {
                    let code = text(one, "code");
                    code == text(found, "code")
                        || !was_there(one) && !announced[text(found, "code")].contains(code)
                };
                if let Some(left) = after.iter().filter(at_place).find(is_new) {
                    let (code, help) = (text(found, "code"), text(found, "help"));
                    broken
                        .push(format!("{}: {code} at {place:?}: `{help}` leads to {left}", folder.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(ways >= 60, "{ways} remedies were followed");
}
