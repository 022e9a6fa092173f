//! Label selectors as `kubectl --selector` takes them: `app in (a,b),tier!=web,!legacy` (L2).

use lrpc_schema::image::{Operator, Requirement, Selector};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, multispace0, multispace1};
use nom::combinator::{all_consuming, map, value};
use nom::multi::separated_list0;
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Parser};

use crate::diagnostic::shown;
use crate::names::{is_label_key, is_label_value};

/// A label key without the source (`k8s:`, `any:`) that Cilium writes before it.
pub(crate) fn without_source(key: &str) -> &str {
    key.strip_prefix("k8s:").or_else(|| key.strip_prefix("any:")).unwrap_or(key)
}

/// The selector in a text; an empty text is the empty selector.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub(crate) fn parse(text: &str) -> Result<Selector, String> {
    let requirements = match all_consuming(separated_list0(char(','), spaced(requirement))).parse(text) {
        Ok((_, requirements)) => requirements,
        Err(_) if text.trim().is_empty() => Vec::new(),
        Err(_) => return Err(unread(text)),
    };
    requirements.into_iter().map(checked).collect::<Result<_, _>>().map(Selector::new)
}

/// A requirement before its parts have been looked at.
struct Raw<'t> {
    key: &'t str,
    operator: Operator,
    values: Vec<&'t str>,
}

fn checked(raw: Raw<'_>) -> Result<Requirement, String> {
    let key = without_source(raw.key);
    if !is_label_key(key) {
        return Err(format!("{} cannot be the key of a label", shown(key)));
    }
    if let Some(wrong) = raw.values.iter().find(|value| !is_label_value(value)) {
        return Err(format!("{} cannot be the value of a label", shown(wrong)));
    }
    if matches!(raw.operator, Operator::In | Operator::NotIn) && raw.values.is_empty() {
        return Err(format!("the list of {} is empty", shown(key)));
    }
    let values = raw.values.into_iter().map(str::to_owned).collect();
    Ok(Requirement::new(key.to_owned(), raw.operator, values))
}

/// Names the first requirement that does not parse.
fn unread(text: &str) -> String {
    let (rest, _) = separated_list0(char::<_, nom::error::Error<&str>>(','), spaced(requirement))
        .parse(text)
        .unwrap_or((text, Vec::new()));
    match rest.trim_start_matches([',', ' ']) {
        "" => "a requirement is missing after the comma".to_owned(),
        rest => format!("nothing is known that begins with {}", shown(rest)),
    }
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
    !character.is_whitespace() && !matches!(character, ',' | '=' | '!' | '(' | ')')
}

fn spaced<'t, O>(
    inner: impl Parser<&'t str, Output = O, Error = nom::error::Error<&'t str>>,
) -> impl Parser<&'t str, Output = O, Error = nom::error::Error<&'t str>> {
    delimited(multispace0, inner, multispace0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, String> {
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
        let problem = |text| canonical(text).unwrap_err();
        assert_eq!(problem("app=a,"), "a requirement is missing after the comma");
        assert_eq!(problem("app in (a"), "nothing is known that begins with `in (a`");
        assert_eq!(problem("app in ()"), "the list of `app` is empty");
        assert_eq!(problem("-a=b"), "`-a` cannot be the key of a label");
        assert_eq!(problem("a=b_"), "`b_` cannot be the value of a label");
        assert_eq!(problem("a>1"), "`a>1` cannot be the key of a label");
    }
}
