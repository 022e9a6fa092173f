//! The JUnit report, held against the rules that Jenkins' XML Schema states: which element may stand in
//! which, and with which attributes.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::reports::checked;
use crate::support::{files, repository, text};

/// An element, what it may stand in, and its attributes.
struct Rule {
    name: &'static str,
    parents: &'static [&'static str],
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

/// The elements of a JUnit report that we write.
const RULES: [Rule; 5] = [
    Rule {
        name: "testsuites",
        parents: &[""],
        required: &[],
        optional: &["name", "time", "tests", "failures", "errors"],
    },
    Rule {
        name: "testsuite",
        parents: &["testsuites", "testsuite"],
        required: &["name", "tests", "failures", "errors"],
        optional: &[
            "time",
            "skipped",
            "file",
            "timestamp",
            "hostname",
            "id",
            "package",
            "group",
            "log",
            "url",
        ],
    },
    Rule {
        name: "testcase",
        parents: &["testsuite"],
        required: &["name"],
        optional: &["time", "classname", "group"],
    },
    Rule { name: "failure", parents: &["testcase"], required: &[], optional: &["type", "message"] },
    Rule { name: "system-out", parents: &["testsuite", "testcase"], required: &[], optional: &[] },
];

/// The attributes of an element that stands where it may.
fn attributes(element: &BytesStart<'_>, parent: &str) -> BTreeMap<String, String> {
    let name = element.name();
    let name = name.as_ref();
    let Rule { parents, required, optional, .. } = RULES.iter().find(|rule| rule.name == name).unwrap();
    assert!(parents.contains(&parent), "`{name}` in `{parent}`");
    let attributes: BTreeMap<String, String> = element
        .attributes()
        .map(|attribute| {
            let attribute = attribute.unwrap();
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned();
            (attribute.key.as_ref().to_owned(), value)
        })
        .collect();
    for required in *required {
        assert!(attributes.contains_key(*required), "`{name}` without `{required}`");
    }
    for found in attributes.keys() {
        assert!(required.contains(&&**found) || optional.contains(&&**found), "`{name}` with `{found}`");
    }
    attributes
}

/// The elements in the order in which they begin, with their attributes.
fn elements(xml: &str) -> Vec<(String, BTreeMap<String, String>)> {
    assert!(!xml.contains('\u{1b}'), "XML 1.0 has no way to write control characters");
    let mut reader = Reader::from_str(xml);
    let (mut open, mut elements) = (vec![String::new()], Vec::new());
    loop {
        let event = reader.read_event().unwrap();
        if let Event::Start(element) | Event::Empty(element) = &event {
            let attributes = attributes(element, open.last().unwrap());
            elements.push((element.name().as_ref().to_owned(), attributes));
        }
        if let Event::Start(element) = &event {
            open.push(element.name().as_ref().to_owned());
        } else if matches!(event, Event::End(_)) {
            open.pop();
        } else if matches!(event, Event::Eof) {
            return elements;
        }
    }
}

fn count(elements: &[(String, BTreeMap<String, String>)], name: &str) -> usize {
    elements.iter().filter(|(element, _)| element == name).count()
}

#[test]
fn junit_is_as_jenkins_reads_it() {
    let elements = elements(&checked("junit", &[]));
    for (suite, totals) in elements.iter().take(2) {
        assert_eq!(totals["tests"], count(&elements, "testcase").to_string(), "{suite}");
        assert_eq!(totals["failures"], count(&elements, "failure").to_string(), "{suite}");
    }
    let names: Vec<_> = elements.iter().filter_map(|(_, attributes)| attributes.get("name")).collect();
    assert!(names.iter().any(|name| **name == "a, b: 100% <\u{fc}>&.yaml"), "{names:?}");
    let failed = elements.iter().find(|(element, _)| element == "failure").unwrap();
    assert_eq!(failed.1["message"], "1 error, 0 warnings");
}

#[test]
fn warnings_fail_a_test_only_where_they_are_denied() {
    let (allowed, denied) =
        (elements(&checked("junit", &[])), elements(&checked("junit", &["--deny-warnings"])));
    assert!(count(&allowed, "system-out") > 0);
    assert_eq!(count(&denied, "system-out"), 0);
    assert_eq!(count(&denied, "failure"), count(&allowed, "failure") + count(&allowed, "system-out"));
}

#[test]
fn files_without_a_finding_are_tests_that_pass() {
    let policies = repository().join("policies");
    let elements = elements(&text(&["check", policies.to_str().unwrap(), "--format", "junit"]));
    assert_eq!(count(&elements, "testcase"), files(&policies, &[".yaml"]).len());
    assert_eq!(count(&elements, "failure"), 0);
}
