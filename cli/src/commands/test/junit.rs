//! Results as JUnit XML: a suite for each file, a test for each expectation, and an error for what keeps a file
//! from being run.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::suite::{Suite, TestResult, Unmet};
use super::table::Problem;
use crate::report::checkout::Checkout;
use crate::report::junit::clean;

type Xml = Writer<Vec<u8>>;

/// The report.
///
/// # Errors
/// Never: it writes to memory.
pub(super) fn render(suites: &[Suite]) -> io::Result<String> {
    let checkout = Checkout::current();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let totals = Totals::of(suites).attributes();
    writer
        .create_element("testsuites")
        .with_attribute(("name", "lrpc test"))
        .with_attributes(totals.iter().map(|(name, count)| (*name, count.as_str())))
        .write_inner_content(|writer| {
            suites.iter().try_for_each(|suite| self::suite(writer, suite, &checkout))
        })?;
    Ok(String::from_utf8_lossy(&writer.into_inner()).into_owned())
}

struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
}

impl Totals {
    fn of(suites: &[Suite]) -> Self {
        let results = || suites.iter().flat_map(|suite| &suite.results);
        let errors = suites.iter().map(|suite| suite.problems.len()).sum();
        Self {
            tests: results().count() + errors,
            failures: results().filter(|result| !result.is_met()).count(),
            errors,
        }
    }

    fn attributes(&self) -> [(&'static str, String); 3] {
        [
            ("tests", self.tests.to_string()),
            ("failures", self.failures.to_string()),
            ("errors", self.errors.to_string()),
        ]
    }
}

fn suite(writer: &mut Xml, suite: &Suite, checkout: &Checkout) -> io::Result<()> {
    let file = clean(&checkout.path(&suite.file));
    let totals = Totals::of(std::slice::from_ref(suite)).attributes();
    writer
        .create_element("testsuite")
        .with_attribute(("name", file.as_str()))
        .with_attributes(totals.iter().map(|(name, count)| (*name, count.as_str())))
        .write_inner_content(|writer| {
            suite.results.iter().try_for_each(|result| test(writer, &file, result))?;
            suite.problems.iter().try_for_each(|problem| error(writer, &file, problem))
        })?;
    Ok(())
}

fn test(writer: &mut Xml, file: &str, result: &TestResult) -> io::Result<()> {
    let name = clean(&result.name);
    let line = result.at.line.to_string();
    let attributes = [("classname", file), ("name", &*name), ("file", file), ("line", &*line)];
    let case = writer.create_element("testcase").with_attributes(attributes);
    let Some(first) = result.failures.first() else {
        case.write_empty()?;
        return Ok(());
    };
    let message = clean(&first.message);
    let explained = clean(&result.failures.iter().map(explained).collect::<String>());
    case.write_inner_content(|writer| {
        writer
            .create_element("failure")
            .with_attributes([("type", "expectation"), ("message", &*message)])
            .write_text_content(BytesText::new(&explained))?;
        Ok(())
    })?;
    Ok(())
}

fn explained(unmet: &Unmet) -> String {
    let answer = unmet.traced.as_ref().map(|answer| answer.explained.as_str()).unwrap_or_default();
    format!("\n{}\n{answer}", unmet.message)
}

fn error(writer: &mut Xml, file: &str, problem: &Problem) -> io::Result<()> {
    let name = problem.at.map_or_else(|| "table".to_owned(), |at| format!("table at {at}"));
    let message = clean(&problem.message);
    let case = writer.create_element("testcase").with_attributes([("classname", file), ("name", &*name)]);
    case.write_inner_content(|writer| {
        writer
            .create_element("error")
            .with_attributes([("type", "table"), ("message", &*message)])
            .write_text_content(BytesText::new(&clean(problem.help.as_deref().unwrap_or_default())))?;
        Ok(())
    })?;
    Ok(())
}
