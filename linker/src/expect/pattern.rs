//! The words of an expectation: [`Flow`](crate::flow::Flow)'s, with patterns where a name or an address of the
//! cluster would stand.
//!
//! ```text
//! tcp from team-a/app-* to 169.254.169.254:80
//! tcp from team-a/{app=web,tier=front} to 169.254.169.254:80
//! udp from host to kube-system/kube-dns:53
//! ```
//! Backends are written as pods (`kube-system/{app=kiam}`) or addresses (`10.0.0.1`), each with a port behind
//! it where that counts (`kube-system/{app=kiam}:8181`).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use lrpc_schema::image::{Port, Protocol};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, multispace0};
use nom::combinator::{eof, map, opt, value};
use nom::multi::separated_list1;
use nom::sequence::{delimited, preceded, separated_pair, terminated};
use nom::{IResult, Parser};

use crate::flow::{FlowError, Miss, address, destination, expect, is_name, name, port, protocol, word};
use crate::inventory::{Inventory, Pod};
use crate::mapset::Backend;

/// Which connections are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowPattern {
    /// The protocol.
    pub protocol: Protocol,
    /// Who opens them.
    pub client: Client,
    /// Where to.
    pub target: Target,
    /// The port there.
    pub port: Port,
}

/// Who opens a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Client {
    /// A process of the node that is in no pod.
    Host,
    /// Each of these pods, from its node.
    Pods(PodPattern),
    /// The pod or the node that has an address.
    Address(IpAddr),
}

/// Where a connection is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An address.
    Address(IpAddr),
    /// Each ClusterIP of a Service.
    Service {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
}

/// Pods of a namespace, by name or label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodPattern {
    namespace: String,
    which: Which,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    Named(String),
    /// The names begin so.
    Begins(String),
    Labelled(Vec<(String, String)>),
}

/// Where a connection may end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendPattern {
    place: Place,
    port: Option<Port>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Pods(PodPattern),
    Address(IpAddr),
}

impl PodPattern {
    /// Whether a pod is meant.
    pub fn matches(&self, pod: &Pod) -> bool {
        let Self { namespace, which } = self;
        *namespace == *pod.reference.namespace
            && match which {
                Which::Named(name) => *name == *pod.reference.name,
                Which::Begins(prefix) => pod.reference.name.starts_with(prefix.as_str()),
                Which::Labelled(labels) => pod.has_labels(labels.iter().map(|(key, value)| (key, value))),
            }
    }
}

impl BackendPattern {
    /// Whether a backend is meant; one that several pods serve together is, if any of them is.
    pub fn covers(&self, backend: &Backend, inventory: &Inventory) -> bool {
        let is_place = match &self.place {
            Place::Address(address) => *address == backend.address,
            Place::Pods(pods) => backend
                .pods
                .iter()
                .filter_map(|pod| inventory.pod(&pod.namespace, &pod.name))
                .any(|pod| pods.matches(pod)),
        };
        is_place && self.port.is_none_or(|port| port == backend.port)
    }
}

impl fmt::Display for FlowPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = self.protocol.as_str().to_ascii_lowercase();
        write!(f, "{protocol} from {} to ", self.client)?;
        match &self.target {
            Target::Address(address) => SocketAddr::new(*address, self.port.get()).fmt(f),
            Target::Service { namespace, name } => write!(f, "{namespace}/{name}:{}", self.port),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Pods(pods) => pods.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for PodPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, which } = self;
        match which {
            Which::Named(name) => write!(f, "{namespace}/{name}"),
            Which::Begins(prefix) => write!(f, "{namespace}/{prefix}*"),
            Which::Labelled(labels) => {
                let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                write!(f, "{namespace}/{{{}}}", labels.join(","))
            }
        }
    }
}

impl fmt::Display for BackendPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.place, self.port) {
            (Place::Address(address), Some(port)) => SocketAddr::new(*address, port.get()).fmt(f),
            (Place::Address(address), None) => address.fmt(f),
            (Place::Pods(pods), Some(port)) => write!(f, "{pods}:{port}"),
            (Place::Pods(pods), None) => pods.fmt(f),
        }
    }
}

impl FromStr for FlowPattern {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        flow(text.trim_start()).map_err(|miss| miss.error(text))
    }
}

impl FromStr for BackendPattern {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        backend(text.trim()).map_err(|miss| miss.error(text.trim_end()))
    }
}

fn flow(text: &str) -> Result<FlowPattern, Miss<'_>> {
    let (rest, protocol) = expect("`tcp` or `udp`", word(protocol), text)?;
    let (rest, _) = expect("`from`", word(tag("from")), rest)?;
    let source =
        "`host`, an address, or pods as `NAMESPACE/NAME`, `NAMESPACE/PREFIX*` or `NAMESPACE/{LABEL=VALUE}`";
    let (rest, client) = expect(source, word(client), rest)?;
    let (rest, _) = expect("`to`", word(tag("to")), rest)?;
    let goal = "an IPv4 address, an IPv6 address in brackets, or a Service as `NAMESPACE/NAME`";
    let (rest, target) = expect(goal, target, rest)?;
    let (rest, _) = expect("`:` and a port", char(':'), rest)?;
    let (rest, port) = expect("a port from 1 to 65535", word(port), rest)?;
    let (_, _) = expect("nothing more", eof, rest)?;
    Ok(FlowPattern { protocol, client, target, port })
}

fn backend(text: &str) -> Result<BackendPattern, Miss<'_>> {
    let place = alt((map(pods, Place::Pods), map(destination, Place::Address)));
    let expected = "pods as `NAMESPACE/NAME`, `NAMESPACE/PREFIX*` or `NAMESPACE/{LABEL=VALUE}`, or an address (IPv6 in brackets)";
    let (rest, place) = expect(expected, place, text)?;
    let (rest, port) = expect("a port from 1 to 65535", opt(preceded(char(':'), port)), rest)?;
    let (_, _) = expect("`:` and a port, or nothing more", eof, rest)?;
    Ok(BackendPattern { place, port })
}

fn client(text: &str) -> IResult<&str, Client> {
    alt((map(pods, Client::Pods), value(Client::Host, tag("host")), map(address, Client::Address)))
        .parse(text)
}

fn target(text: &str) -> IResult<&str, Target> {
    let service = map(separated_pair(name, char('/'), name), |(namespace, name): (&str, &str)| {
        Target::Service { namespace: namespace.to_owned(), name: name.to_owned() }
    });
    alt((service, map(destination, Target::Address))).parse(text)
}

fn pods(text: &str) -> IResult<&str, PodPattern> {
    let labelled = map(
        delimited(char('{'), separated_list1(terminated(char(','), multispace0), label), char('}')),
        Which::Labelled,
    );
    let begins =
        map(terminated(take_while(is_name), char('*')), |prefix: &str| Which::Begins(prefix.to_owned()));
    let named = map(name, |name: &str| Which::Named(name.to_owned()));
    map(
        separated_pair(name, char('/'), alt((labelled, begins, named))),
        |(namespace, which): (&str, Which)| PodPattern { namespace: namespace.to_owned(), which },
    )
    .parse(text)
}

fn label(text: &str) -> IResult<&str, (String, String)> {
    let is_value =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
    let is_key = move |character: char| is_value(character) || character == '/';
    map(separated_pair(take_while1(is_key), char('='), take_while(is_value)), |(key, value): (&str, &str)| {
        (key.to_owned(), value.to_owned())
    })
    .parse(text)
}
