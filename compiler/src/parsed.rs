//! One file, read: its policies, what was wrong with them by themselves, and what else it holds.

use lrpc_schema::diagnostic::Spot;
use lrpc_schema::image::FilePlaces;

use crate::check::{input_limit, malformed_allow, missing_field};
use crate::diagnostic::Diagnostic;
use crate::hir::Policy;
use crate::lower::{self, Found, Recorder};
use crate::source::{Source, Span};
use crate::syntax::allow::{self, Allow};
use crate::syntax::{self, Event};
use crate::template;
use crate::workload::Beside;

/// What one file holds. Files are parsed one by one, on as many threads as the caller likes; [`check`]
/// puts them together.
///
/// [`check`]: crate::check()
#[derive(Debug)]
pub struct Parsed {
    pub(crate) source: Source,
    pub(crate) policies: Vec<Policy>,
    /// Where their fields stand.
    pub(crate) places: FilePlaces,
    /// Problems of no policy.
    pub(crate) problems: Vec<Diagnostic>,
    pub(crate) allows: Vec<Allow>,
    /// Documents of other kinds: the place of the kind, if there is one, and of the document.
    pub(crate) foreign: Vec<(Option<Span>, Span)>,
    /// What those say will run.
    pub(crate) beside: Vec<Beside>,
}

impl Parsed {
    /// The number of policies in the file, right or wrong.
    pub fn policies(&self) -> usize {
        self.policies.len()
    }
}

/// Reads one file. Whatever is wrong with it is kept for [`check`](crate::check()) to report.
pub fn parse(source: &Source) -> Parsed {
    let mut parsed = Parsed {
        source: source.clone(),
        policies: Vec::new(),
        places: FilePlaces::new(source.name().clone()),
        problems: Vec::new(),
        allows: Vec::new(),
        foreign: Vec::new(),
        beside: Vec::new(),
    };
    if source.text().len() > Source::MAX_BYTES {
        parsed.problems.push(input_limit::too_long(source));
        return parsed;
    }
    let mut places = Recorder::new(source);
    let mut count = 0;
    syntax::read(source, |event| {
        let (before, at) = (count, event.span());
        match event {
            Event::Document(tree, root) => {
                lower::documents(source, tree, root, &mut places, &mut |found| parsed.add(found, &mut count));
            }
            Event::Comment(text, span) => match allow::parse(source, text, span) {
                Some(Ok(allow)) => {
                    parsed.allows.push(allow);
                    count += 1;
                }
                Some(Err(malformed)) => {
                    parsed.problem(malformed_allow::report(source, span, malformed), &mut count)
                }
                None => {}
            },
            Event::Unreadable(problem) => parsed.problem(problem, &mut count),
        }
        let proceed = count <= input_limit::PROBLEMS;
        if !proceed && count > before {
            parsed.problems.push(input_limit::too_many_problems(source, at));
        }
        proceed
    });
    parsed.places = places.finish();
    // Of a hundred thousand policies, what was reserved and not used is a tenth of their text.
    parsed.policies.shrink_to_fit();
    parsed
}

/// The remedy for a value that is a placeholder: no other text in its place is what was meant.
fn unrendered(problem: &mut Diagnostic) {
    let Some(Spot { source, span }) = problem.primary.as_ref().map(|label| &label.at) else { return };
    let (text, rest) = source.text().split_at_checked(span.end).unwrap_or_default();
    let text = text.get(span.start..).unwrap_or_default();
    let is_value = !text.contains('\n') && template::is_in_wrong(text);
    let is_missing = text.is_empty() || problem.code == missing_field::PAGE.code;
    if is_value || is_missing && template::is_behind(rest) {
        problem.help = Some(template::REMEDY.to_owned());
    }
}

impl Parsed {
    /// The answer says whether there is room for more problems.
    fn add(&mut self, found: Found, count: &mut usize) -> bool {
        match found {
            Found::Policy(mut policy) => {
                *count += policy.problems.len();
                policy.problems.iter_mut().for_each(unrendered);
                self.policies.push(*policy);
            }
            Found::Foreign { kind, document, beside } => {
                self.foreign.push((kind, document));
                self.beside.extend(beside.map(|beside| *beside));
            }
            Found::Problem(problem) => self.problem(*problem, count),
        }
        *count <= input_limit::PROBLEMS
    }

    fn problem(&mut self, mut problem: Diagnostic, count: &mut usize) {
        *count += 1;
        unrendered(&mut problem);
        self.problems.push(problem);
    }
}
