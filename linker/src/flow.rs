//! Flow expressions: one connection in words, as `trace` takes it.
//!
//! ```text
//! tcp from default/web-1 to 169.254.169.254:80
//! udp from host to [fd00::1]:53
//! tcp from 10.244.1.30 to 10.96.0.10:53
//! ```
//! Whether there is such a pod or address is not known here. IPv4-mapped addresses are read as the IPv4
//! addresses that they stand for (L16).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use lrpc_schema::image::{Port, Protocol};
use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while1};
use nom::character::complete::{char, digit1, multispace1};
use nom::combinator::{eof, map, map_opt, map_res, value};
use nom::sequence::{delimited, separated_pair, terminated};
use nom::{IResult, Parser};

use crate::mapset::Frontend;

/// One connection, or one unconnected datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Who opens it.
    pub source: Source,
    /// Where it is to go.
    pub destination: Frontend,
}

/// Who opens a connection, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A process of the node that is in no pod.
    Host,
    /// A pod by its names.
    Pod {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// The pod or the node that has an address.
    Address(IpAddr),
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Frontend { address, port, protocol } = self.destination;
        let protocol = protocol.as_str().to_ascii_lowercase();
        write!(f, "{protocol} from {} to {}", self.source, SocketAddr::new(address, port.get()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Pod { namespace, name } => write!(f, "{namespace}/{name}"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// A text is no flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at character {column}, found {found}")]
pub struct FlowError {
    /// What could have stood there.
    pub expected: &'static str,
    /// The character at which it is missing, from 1.
    pub column: usize,
    /// What stands there.
    pub found: Found,
}

/// What stands in a text where something else was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The rest of a word.
    Word(String),
    /// A space.
    Space,
    /// Nothing.
    End,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Space => f.write_str("a space"),
            Self::End => f.write_str("the end"),
        }
    }
}

impl FromStr for Flow {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        flow(text.trim_start()).map_err(|miss| miss.error(text))
    }
}

/// What is missing, and the text from there on.
pub(crate) struct Miss<'t> {
    rest: &'t str,
    expected: &'static str,
}

impl Miss<'_> {
    /// The error in the text of which this is the rest.
    pub(crate) fn error(&self, text: &str) -> FlowError {
        let Self { rest, expected } = *self;
        let before = text.get(..text.len().saturating_sub(rest.len())).unwrap_or_default();
        let word: String = rest.chars().take_while(|character| !character.is_whitespace()).collect();
        let found = match rest {
            "" => Found::End,
            _ if word.is_empty() => Found::Space,
            _ => Found::Word(word),
        };
        FlowError { expected, column: before.chars().count() + 1, found }
    }
}

fn flow(text: &str) -> Result<Flow, Miss<'_>> {
    let (rest, protocol) = expect("`tcp` or `udp`", word(protocol), text)?;
    let (rest, _) = expect("`from`", word(tag("from")), rest)?;
    let (rest, source) = expect("`host`, a pod as `NAMESPACE/NAME`, or an address", word(source), rest)?;
    let (rest, _) = expect("`to`", word(tag("to")), rest)?;
    let (rest, address) = expect("an IPv4 address, or an IPv6 address in brackets", destination, rest)?;
    let (rest, _) = expect("`:` and a port", char(':'), rest)?;
    let (rest, port) = expect("a port from 1 to 65535", word(port), rest)?;
    let (_, _) = expect("nothing more", eof, rest)?;
    Ok(Flow { source, destination: Frontend { address, port, protocol } })
}

/// What a parser takes off the text, or what was expected there.
pub(crate) fn expect<'t, O>(
    expected: &'static str,
    mut parser: impl Parser<&'t str, Output = O, Error = nom::error::Error<&'t str>>,
    text: &'t str,
) -> Result<(&'t str, O), Miss<'t>> {
    parser.parse(text).map_err(|_| Miss { rest: text, expected })
}

/// What a parser takes if it takes a whole word, and the spaces behind it.
pub(crate) fn word<'t, O>(
    parser: impl Parser<&'t str, Output = O, Error = nom::error::Error<&'t str>>,
) -> impl Parser<&'t str, Output = O, Error = nom::error::Error<&'t str>> {
    terminated(parser, alt((multispace1, eof)))
}

pub(crate) fn protocol(text: &str) -> IResult<&str, Protocol> {
    alt((value(Protocol::Tcp, tag_no_case("tcp")), value(Protocol::Udp, tag_no_case("udp")))).parse(text)
}

fn source(text: &str) -> IResult<&str, Source> {
    let pod = map(separated_pair(name, char('/'), name), |(namespace, name): (&str, &str)| Source::Pod {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    });
    alt((pod, value(Source::Host, tag("host")), map(address, Source::Address))).parse(text)
}

pub(crate) fn name(text: &str) -> IResult<&str, &str> {
    take_while1(is_name).parse(text)
}

pub(crate) fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.')
}

/// An address of its own, an IPv6 one in brackets or not.
pub(crate) fn address(text: &str) -> IResult<&str, IpAddr> {
    let plain = map_res(take_while1(is_address), str::parse::<IpAddr>);
    alt((map(plain, |address| address.to_canonical()), bracketed)).parse(text)
}

/// An address that a port can follow: IPv4, or IPv6 in brackets.
pub(crate) fn destination(text: &str) -> IResult<&str, IpAddr> {
    let is_v4 = |character: char| character.is_ascii_digit() || character == '.';
    alt((map(map_res(take_while1(is_v4), str::parse::<Ipv4Addr>), IpAddr::V4), bracketed)).parse(text)
}

fn bracketed(text: &str) -> IResult<&str, IpAddr> {
    let address = map_res(take_while1(is_address), str::parse::<Ipv6Addr>);
    delimited(char('['), map(address, |address| address.to_canonical()), char(']')).parse(text)
}

fn is_address(character: char) -> bool {
    character.is_ascii_hexdigit() || matches!(character, ':' | '.')
}

pub(crate) fn port(text: &str) -> IResult<&str, Port> {
    map_opt(digit1, |digits: &str| digits.parse().ok().and_then(Port::new)).parse(text)
}

#[cfg(test)]
mod tests;
