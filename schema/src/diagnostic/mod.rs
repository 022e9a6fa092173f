//! What is said about policies: one record for what the compiler finds in text and what a link finds between
//! policies and a cluster, the fields and texts that it points at, and the manual that its code names.
//!
//! The record is the same whatever a place is: the compiler points into text ([`Spot`]), a link, which sees
//! none, at fields ([`FieldOf`]), and [`Diagnostic::locate`] joins the one with the other.
//!
//! Nothing is decided or printed here.

mod field;
mod hidden;
mod page;
mod severity;
mod source;

use std::fmt;

pub use field::{Field, FieldOf};
pub use hidden::is_hidden;
pub use page::{Code, Page};
pub use severity::Severity;
pub use source::{Position, Source, Span, Spot};

use crate::image::PolicyName;

/// A place with a word on what is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label<At> {
    /// The place.
    pub at: At,
    /// What is there; may be empty.
    pub message: String,
}

/// One thing that is said about a policy or the text around it. The order is that of the policies, then of the
/// places.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic<At> {
    /// The policy that it is about, where one is known.
    pub policy: Option<PolicyName>,
    /// Where it is.
    pub primary: Option<Label<At>>,
    /// The stable code, which names the page.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The headline: one line that stands alone.
    pub message: String,
    /// What to do; several lines where things stand side by side.
    pub help: Option<String>,
    /// Other places that it is about, of any policy.
    pub related: Vec<Label<At>>,
    /// The nodes on which it holds; `None` where none or only one was asked for.
    pub nodes: Option<Nodes>,
}

/// The nodes on which a diagnostic holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nodes {
    /// The first of them by name.
    pub names: Vec<String>,
    /// How many they are.
    pub count: usize,
}

/// `n1, n2 and 3 more`.
impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))?;
        match self.count.saturating_sub(self.names.len()) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl<At> Diagnostic<At> {
    /// The same with what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with its places as others know them; a place that `find` does not know is left out.
    pub fn locate<To>(self, mut find: impl FnMut(At) -> Option<To>) -> Diagnostic<To> {
        let mut located = |Label { at, message }: Label<At>| Some(Label { at: find(at)?, message });
        Diagnostic {
            policy: self.policy,
            primary: self.primary.and_then(&mut located),
            code: self.code,
            severity: self.severity,
            message: self.message,
            help: self.help,
            related: self.related.into_iter().filter_map(located).collect(),
            nodes: self.nodes,
        }
    }
}

impl Diagnostic<Spot> {
    /// The same at a place, with what is there.
    pub fn at(mut self, source: &Source, span: Span, message: impl Into<String>) -> Self {
        self.primary = Some(Label { at: Spot::new(source, span), message: message.into() });
        self
    }

    /// The same with another place.
    pub fn related(mut self, source: &Source, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Label { at: Spot::new(source, span), message: message.into() });
        self
    }

    /// Line and column of the primary place.
    pub fn line_and_column(&self) -> Option<(u32, u32)> {
        let Spot { source, span } = &self.primary.as_ref()?.at;
        let position = source.position(span.start);
        Some((position.line, position.column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page =
        Page { code: Code::new("a"), severity: Severity::Warning, summary: "", since: "0.1.0", page: "" };

    #[test]
    fn places_that_nobody_knows_are_left_out() {
        let label = |at| Label { at, message: format!("number {at}") };
        let related = vec![label(2), label(3)];
        let diagnostic = Diagnostic { primary: Some(label(1)), related, ..PAGE.report("b") };
        let located = diagnostic.clone().locate(|at| (at != 2).then(|| at.to_string()));
        assert_eq!(located.primary, Some(Label { at: "1".to_owned(), message: "number 1".to_owned() }));
        assert_eq!(located.related, [Label { at: "3".to_owned(), message: "number 3".to_owned() }]);
        assert_eq!(diagnostic.locate(|_| None::<()>).primary, None);
    }

    #[test]
    fn an_error_is_graver_than_a_warning() {
        assert!(Severity::Warning < Severity::Error);
    }
}
