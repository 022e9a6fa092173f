//! Label selectors as `kubectl --selector` takes them: `app in (a,b),tier!=web,!legacy` (L2).

use std::ops::Range;

use lrpc_schema::image::{NotARequirement, Operator, Requirement, Selector};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, multispace0, multispace1};
use nom::combinator::{map, value};
use nom::multi::separated_list0;
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Offset, Parser};

use crate::diagnostic::shown;
use crate::names::is_label_value;

/// A label key without the source (`k8s:`, `any:`) that Cilium writes before it.
pub(crate) fn without_source(key: &str) -> &str {
    key.strip_prefix("k8s:").or_else(|| key.strip_prefix("any:")).unwrap_or(key)
}

/// Why a text is no selector.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The end of a sentence.
    pub(crate) message: String,
    /// The bytes of the text that are wrong.
    pub(crate) range: Range<usize>,
}

/// The selector in a text; an empty text is the empty selector.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn parse(text: &str) -> Result<Selector, Problem> {
    if text.trim().is_empty() {
        return Ok(Selector::new(Vec::new()));
    }
    let (rest, requirements) = requirements(text).unwrap_or((text, Vec::new()));
    let after_key = requirements.last().is_some_and(|last| last.operator == Operator::Exists);
    let checked: Vec<_> = requirements.into_iter().map(|raw| checked(text, raw)).collect::<Result<_, _>>()?;
    if rest.is_empty() { Ok(Selector::new(checked)) } else { Err(unread(text, rest, after_key)) }
}

/// A requirement before its parts have been looked at.
struct Raw<'t> {
    key: &'t str,
    operator: Operator,
    values: Vec<&'t str>,
}

fn checked(text: &str, raw: Raw<'_>) -> Result<Requirement, Problem> {
    let key = without_source(raw.key);
    let values = raw.values.iter().map(|value| (*value).to_owned()).collect();
    Requirement::new(key.to_owned(), raw.operator, values).map_err(|wrong| match wrong {
        NotARequirement::Key => {
            problem(text, raw.key, format!("{} cannot be the key of a label", shown(key)))
        }
        NotARequirement::Value => {
            let value = raw.values.iter().find(|value| !is_label_value(value)).unwrap_or(&raw.key);
            problem(text, value, format!("{} cannot be the value of a label", shown(value)))
        }
        NotARequirement::Count => problem(text, raw.key, format!("the list of {} is empty", shown(key))),
    })
}

/// A problem with a part of the text.
fn problem(text: &str, part: &str, message: String) -> Problem {
    let start = text.offset(part);
    Problem { message, range: start..start + part.len() }
}

/// What is wrong at the beginning of what could not be read; `after_key` where a key stands before it, so
/// that it should have been an operator.
fn unread(text: &str, rest: &str, after_key: bool) -> Problem {
    let rest = rest.trim_start();
    let word_end = |text: &str| text.find(|character| !is_word(character)).unwrap_or(text.len());
    let symbols = rest.find(|character| !"=!<>~".contains(character)).unwrap_or(rest.len());
    let (token, behind) = rest.split_at(if symbols > 0 { symbols } else { word_end(rest) });
    if let Some(behind) = rest.strip_prefix(',') {
        let (at, what) = (rest.get(..1).unwrap_or_default(), behind.trim_start());
        return match what.split(',').next() {
            None | Some("") => problem(text, at, "a requirement is missing after the comma".to_owned()),
            Some(what) => problem(text, what, format!("{} is no requirement", shown(what.trim_end()))),
        };
    }
    if !after_key || token.is_empty() {
        let message = match token {
            "" => format!("{} is out of place", shown(rest.get(..1).unwrap_or(rest))),
            _ => format!("there is no comma before {}", shown(token)),
        };
        return problem(text, if token.is_empty() { rest } else { token }, message);
    }
    let list = behind.trim_start();
    match (token, list.strip_prefix('(')) {
        ("in" | "notin", None) => problem(text, token, format!("no list in brackets follows `{token}`")),
        ("in" | "notin", Some(inside)) if !inside.contains(')') => {
            problem(text, list, "the bracket of a list is not closed".to_owned())
        }
        ("in" | "notin", Some(_)) => {
            let list = list.split_inclusive(')').next().unwrap_or(list);
            problem(text, list, format!("{} is no list of values", shown(list)))
        }
        _ => problem(text, token, format!("there is no operator {}", shown(token))),
    }
}

fn requirements(text: &str) -> IResult<&str, Vec<Raw<'_>>> {
    separated_list0(char(','), spaced(requirement)).parse(text)
}

fn requirement(text: &str) -> IResult<&str, Raw<'_>> {
    let absent = map(preceded((char('!'), multispace0), word), |key| Raw {
        key,
        operator: Operator::DoesNotExist,
        values: Vec::new(),
    });
    let compared = map((word, spaced(comparison), any_value), |(key, operator, value)| Raw {
        key,
        operator,
        values: vec![value],
    });
    let listed = map((terminated(word, multispace1), list_operator, list), |(key, operator, values)| Raw {
        key,
        operator,
        values,
    });
    let present = map(word, |key| Raw { key, operator: Operator::Exists, values: Vec::new() });
    alt((absent, listed, compared, present)).parse(text)
}

fn comparison(text: &str) -> IResult<&str, Operator> {
    alt((value(Operator::In, tag("==")), value(Operator::NotIn, tag("!=")), value(Operator::In, tag("="))))
        .parse(text)
}

fn list_operator(text: &str) -> IResult<&str, Operator> {
    let operator = alt((value(Operator::NotIn, tag("notin")), value(Operator::In, tag("in"))));
    terminated(operator, multispace0).parse(text)
}

fn list(text: &str) -> IResult<&str, Vec<&str>> {
    let values = separated_list0(char(','), spaced(word));
    delimited(pair(char('('), multispace0), values, (multispace0, char(')'))).parse(text)
}

fn word(text: &str) -> IResult<&str, &str> {
    take_while1(is_word).parse(text)
}

fn any_value(text: &str) -> IResult<&str, &str> {
    take_while(is_word).parse(text)
}

fn is_word(character: char) -> bool {
    !character.is_whitespace() && !matches!(character, ',' | '=' | '!' | '<' | '>' | '(' | ')')
}

fn spaced<'t, O>(
    inner: impl Parser<&'t str, Output = O, Error = nom::error::Error<&'t str>>,
) -> impl Parser<&'t str, Output = O, Error = nom::error::Error<&'t str>> {
    delimited(multispace0, inner, multispace0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, Problem> {
        parse(text).map(|selector| selector.to_string())
    }

    #[test]
    fn every_operator_of_kubectl_is_read() {
        let text =
            "tier != web, app in ( b , a ), env notin (x), !legacy, gpu, zone==c, k8s:team = d, empty=";
        let expected = "app in (a,b),empty=,env notin (x),gpu,!legacy,team=d,tier notin (web),zone=c";
        assert_eq!(canonical(text), Ok(expected.to_owned()));
        assert_eq!(canonical(expected), Ok(expected.to_owned()));
        assert_eq!(canonical("  "), Ok(String::new()));
        assert_eq!(canonical("inner=x,notinner"), Ok("inner=x,notinner".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let problem = |text: &'static str| {
            let Problem { message, range } = canonical(text).unwrap_err();
            (message, &text[range])
        };
        for (text, message, wrong) in [
            ("app=a,", "a requirement is missing after the comma", ","),
            ("app=a,,b=c", "a requirement is missing after the comma", ","),
            ("app=a, =b", "`=b` is no requirement", "=b"),
            ("app in (a", "the bracket of a list is not closed", "(a"),
            ("app in (a b)", "`(a b)` is no list of values", "(a b)"),
            ("app in a", "no list in brackets follows `in`", "in"),
            ("app in ()", "the list of `app` is empty", "app"),
            ("app is a", "there is no operator `is`", "is"),
            ("gpu, app IN (a)", "there is no operator `IN`", "IN"),
            ("a>1", "there is no operator `>`", ">"),
            ("a=b c", "there is no comma before `c`", "c"),
            ("a=(b)", "`(` is out of place", "(b)"),
            ("-a=b", "`-a` cannot be the key of a label", "-a"),
            ("a=b_", "`b_` cannot be the value of a label", "b_"),
            ("k8s:é=b", "`é` cannot be the key of a label", "k8s:é"),
        ] {
            assert_eq!(problem(text), (message.to_owned(), wrong), "{text}");
        }
    }
}
