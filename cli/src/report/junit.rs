//! JUnit XML: a test for each file, so that Jenkins and GitLab follow a file from run to run and show which
//! one broke.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::checkout::Checkout;
use super::{Report, Severity, concise, prose, summary};

/// What tests without a file belong to.
const NO_FILE: &str = "manifests";

/// A file, or what is in none, and what was found there.
struct Test<'a> {
    name: String,
    reports: Vec<&'a Report>,
}

impl Test<'_> {
    /// Whether the command ends with 1 because of it.
    fn fails(&self, deny_warnings: bool) -> bool {
        self.reports.iter().any(|report| deny_warnings || report.severity == Severity::Error)
    }
}

/// The tests of these files; a warning fails one only where warnings are denied.
///
/// # Errors
/// Never: it writes to memory.
pub(crate) fn render(
    reports: &[Report],
    files: &[String],
    deny_warnings: bool,
    checkout: &Checkout,
) -> io::Result<String> {
    let tests = tests(reports, files, checkout);
    let count = tests.len().to_string();
    let failures = tests.iter().filter(|test| test.fails(deny_warnings)).count().to_string();
    let totals = [("tests", &*count), ("failures", &*failures), ("errors", "0")];

    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuites")
        .with_attribute(("name", "lrpc"))
        .with_attributes(totals)
        .write_inner_content(|writer| {
            writer
                .create_element("testsuite")
                .with_attribute(("name", "lrpc check"))
                .with_attributes(totals)
                .write_inner_content(|writer| {
                    tests.iter().try_for_each(|test| write(writer, test, deny_warnings, checkout))
                })?;
            Ok(())
        })?;
    Ok(String::from_utf8_lossy(&writer.into_inner()).into_owned())
}

/// One test for each file, in the order read, and one for what is in no file, where there is such.
fn tests<'a>(reports: &'a [Report], files: &[String], checkout: &Checkout) -> Vec<Test<'a>> {
    let file = |report: &Report| report.primary.as_ref().map(|label| label.at.place.file.to_string());
    let mut by_file = HashMap::<_, Vec<&Report>>::new();
    for report in reports {
        by_file.entry(file(report)).or_default().push(report);
    }
    let mut tests: Vec<Test<'_>> = files
        .iter()
        .map(|file| Test {
            name: checkout.path(file),
            reports: by_file.remove(&Some(file.clone())).unwrap_or_default(),
        })
        .collect();
    let elsewhere: Vec<&Report> =
        reports.iter().filter(|report| by_file.contains_key(&file(report))).collect();
    if !elsewhere.is_empty() {
        tests.push(Test { name: NO_FILE.to_owned(), reports: elsewhere });
    }
    tests
}

fn write(
    writer: &mut Writer<Vec<u8>>,
    test: &Test<'_>,
    deny_warnings: bool,
    checkout: &Checkout,
) -> io::Result<()> {
    let name = clean(&test.name);
    let case =
        writer.create_element("testcase").with_attributes([("classname", "lrpc.check"), ("name", &*name)]);
    if test.reports.is_empty() {
        case.write_empty()?;
        return Ok(());
    }
    let details = clean(&details(&test.reports, checkout));
    case.write_inner_content(|writer| {
        let element = if test.fails(deny_warnings) {
            let summary = summary(test.reports.iter().copied());
            writer
                .create_element("failure")
                .with_attributes([("type", "diagnostics"), ("message", &*summary)])
        } else {
            writer.create_element("system-out")
        };
        element.write_text_content(BytesText::new(&details))?;
        Ok(())
    })?;
    Ok(())
}

/// The concise line of each, with nodes, other places and help below it.
fn details(reports: &[&Report], checkout: &Checkout) -> String {
    let mut text = String::from("\n");
    for report in reports {
        text += &concise::headline(report);
        text.push('\n');
        for line in prose(report, checkout).lines().skip(1) {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// The text without the characters that XML 1.0 has no way to write.
pub(crate) fn clean(text: &str) -> String {
    let is_writable = |character: char| {
        matches!(character, '\t' | '\n' | '\r')
            || (character >= ' ' && !matches!(character, '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().map(|character| if is_writable(character) { character } else { '\u{fffd}' }).collect()
}
