//! The manual: each diagnostic has a page, and the examples on it do what the page says.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::disallowed_methods, reason = "the test compares the table with the folders")]

use std::collections::BTreeSet;
use std::path::Path;

use lrpc_compiler::{MatcherKind, NamespaceRule, Options, PAGES, check, parse, read};
use lrpc_schema::diagnostic::Code;

/// What the text of a page says about flags and `lrpc.toml`.
fn options(code: &str) -> Options {
    let mut options = Options::default();
    let link_local = || vec!["169.254.0.0/16".parse().unwrap()];
    match code {
        "foreign-kind" => options.strict_kinds = true,
        "disallowed-address" => options.allowed_addresses = Some(link_local()),
        "forbidden-redirect" => {
            let matchers = Some(vec![MatcherKind::Address]);
            let rule = NamespaceRule { matchers, addresses: Some(link_local()), services: None };
            options.namespaces.insert("default".to_owned(), rule);
        }
        _ => {}
    }
    options
}

fn codes(code: Code, example: &str) -> Vec<Code> {
    let bytes = example.replace('␀', "\0").into_bytes();
    match read("example.yaml", bytes) {
        Ok(source) => {
            let checked = check(vec![parse(&source)], &options(code.as_str()));
            checked.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
        }
        Err(diagnostic) => vec![diagnostic.code],
    }
}

fn examples(page: &str) -> Vec<&str> {
    page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_bad_example_raises_the_code_and_the_good_one_nothing() {
    for page in PAGES {
        let [bad, good] = examples(page.page)[..] else { panic!("{}: two examples", page.code) };
        let raised: BTreeSet<_> = codes(page.code, bad).into_iter().collect();
        assert_eq!(raised, BTreeSet::from([page.code]), "the bad example of {}", page.code);
        assert!(codes(page.code, good).is_empty(), "the good example of {}", page.code);
    }
}

#[test]
fn each_page_has_its_sections() {
    for page in PAGES {
        let headings: Vec<_> = page.page.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {}", page.code);
        let sections = ["## What it means", "## Why it matters", "## Example", "## Remedy"];
        assert_eq!(headings[0], title);
        assert_eq!(headings[1..], sections, "{}", page.code);
    }
}

#[test]
fn codes_and_files_are_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str, skip: &str, ending: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name != skip)
            .map(|name| name.trim_end_matches(ending).replace('_', "-"))
            .collect()
    };
    let codes: BTreeSet<_> = PAGES.iter().map(|page| page.code.to_string()).collect();
    assert_eq!(codes.len(), PAGES.len(), "each code once");
    assert_eq!(codes, names(folder.join("diagnostics").to_str().unwrap(), "", ".md"));
    assert_eq!(codes, names(folder.join("src/check").to_str().unwrap(), "mod.rs", ".rs"));
}

#[test]
fn summaries_stand_alone_in_a_list() {
    for page in PAGES {
        let starts_low = page.summary.starts_with(|first: char| first.is_lowercase());
        assert!(starts_low && !page.summary.ends_with('.'), "{}", page.summary);
    }
}
