//! An expectation table: what it may say, read out of YAML with every mistake at its place.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use lrpc_linker::expect::{BackendPattern, Expectation, FlowPattern, Nodes};
use lrpc_linker::mapset::State;
use lrpc_linker::trace::Reason;

use super::tree::{self, Node, Place, Tree};

/// One table: a document of a file.
pub(super) struct Table {
    /// Where the sets of policies are named.
    pub(super) policies_at: Place,
    /// One set, or several paths of manifests that are compiled together.
    pub(super) policies: Vec<String>,
    /// Where the inventories are named.
    pub(super) inventories_at: Place,
    /// Dumps that make one inventory together.
    pub(super) inventories: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// One expectation, with what readers know it by.
pub(super) struct Row {
    pub(super) at: Place,
    pub(super) name: String,
    pub(super) expectation: Expectation,
}

/// A mistake in a file of tables.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    /// `None` where the file as a whole is meant.
    pub(super) at: Option<Place>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// The tables of a file.
///
/// # Errors
/// Every mistake, in the order in which they are written; at least one.
pub(super) fn read(text: &str) -> Result<Vec<Table>, Vec<Problem>> {
    let documents = tree::read(text)
        .map_err(|(at, message)| vec![Problem { at: Some(at), message, help: Some(WHAT_IT_IS.into()) }])?;
    let mut reader = Reader::default();
    let written = documents.iter().filter(|document| document.value != Tree::Null);
    let tables: Vec<_> = written.map(|document| reader.table(document)).collect();
    if tables.is_empty() {
        reader.problems.push(Problem {
            at: None,
            message: "there is no table in it".into(),
            help: Some(WHAT_IT_IS.into()),
        });
    }
    reader.problems.sort();
    // A table is there wherever there is no problem.
    if reader.problems.is_empty() { Ok(tables.into_iter().flatten().collect()) } else { Err(reader.problems) }
}

const WHAT_IT_IS: &str =
    "a table has `policies`, `inventories` and `expect`; `lrpc schema test` prints what each can say";

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
}

/// The fields of a mapping, by name.
type Fields<'n> = BTreeMap<&'n str, &'n Node>;

impl Reader {
    fn problem(&mut self, at: Place, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem { at: Some(at), message: message.into(), help: Some(help.into()) });
    }

    fn table(&mut self, node: &Node) -> Option<Table> {
        let fields = self.fields(node, "a table", &["policies", "inventories", "expect"])?;
        let policies =
            self.required(node, &fields, "policies", "write the image, folder or files that are tested");
        let inventories = self.required(
            node,
            &fields,
            "inventories",
            "write what `kubectl get pods,services,nodes -A -o yaml` printed",
        );
        let expect = self.required(node, &fields, "expect", "write a list of flows with their decisions");
        let rows = expect.map(|list| self.rows(list));
        let (policies, inventories, rows) = (policies?, inventories?, rows?);
        let named = |reader: &mut Self, node: &Node, field: &str| {
            let texts = reader.texts(node);
            if texts.is_empty() {
                reader.problem(
                    place(node),
                    format!("`{field}` names nothing"),
                    "write a path, or a list of them",
                );
            }
            texts.into_iter().map(|(_, text)| text.to_owned()).collect()
        };
        Some(Table {
            policies_at: place(policies),
            policies: named(self, policies, "policies"),
            inventories_at: place(inventories),
            inventories: named(self, inventories, "inventories"),
            rows,
        })
    }

    fn rows(&mut self, node: &Node) -> Vec<Row> {
        let Tree::List(list) = &node.value else {
            self.problem(place(node), "`expect` is no list", "begin each expectation with `- flow:`");
            return Vec::new();
        };
        if list.is_empty() {
            self.problem(place(node), "the table expects nothing", "write at least one expectation");
        }
        list.iter().filter_map(|row| self.row(row)).collect()
    }

    fn row(&mut self, node: &Node) -> Option<Row> {
        const KNOWN: [&str; 7] = ["name", "flow", "nodes", "decision", "reason", "policy", "backends"];
        let fields = self.fields(node, "an expectation", &KNOWN)?;
        let flow = self.required(node, &fields, "flow", FLOWS);
        let flow = flow.and_then(|node| self.parsed::<FlowPattern>(node, "flow", FLOWS));
        let decision = self.required(node, &fields, "decision", DECISIONS);
        let decision = decision.and_then(|node| self.one_of(node, "a decision", &STATES, State::as_str));
        let reason = fields.get("reason");
        let reason =
            reason.map(|node| (place(node), self.one_of(node, "a reason", &Reason::ALL, Reason::as_str)));
        let policy = fields.get("policy").and_then(|node| self.policy(node));
        let backends_at = fields.get("backends").copied();
        let backends = backends_at.map(|node| self.backends(node)).unwrap_or_default();
        let nodes = fields.get("nodes").map_or(Nodes::default(), |node| self.nodes(node));
        let name = fields.get("name").and_then(|node| self.text(node));
        let (flow, decision) = (flow?, decision?);
        if let (Some((at, _)), State::Redirect) = (reason, decision) {
            self.problem(
                at,
                "a redirected connection has no reason",
                "leave `reason` out, or expect another decision",
            );
        }
        if let (Some(node), State::Original | State::Drop) = (backends_at, decision) {
            self.problem(
                place(node),
                format!("a connection that is `{decision}` has no backends"),
                "leave `backends` out, or expect `redirect`",
            );
        }
        let reason = reason.and_then(|(_, reason)| reason);
        let expectation = Expectation { flow, nodes, decision, reason, policy, backends };
        let name = name.map_or_else(|| described(&expectation), str::to_owned);
        Some(Row { at: place(node), name, expectation })
    }

    fn nodes(&mut self, node: &Node) -> Nodes {
        match &node.value {
            Tree::Text(all) if all == "all" => Nodes::All,
            Tree::Text(_) | Tree::List(_) | Tree::Map(_) | Tree::Null => {
                let names: Vec<String> =
                    self.texts(node).into_iter().map(|(_, name)| name.to_owned()).collect();
                if names.is_empty() {
                    self.problem(
                        place(node),
                        "`nodes` names no node",
                        "write `all`, a node or a list of them",
                    );
                }
                Nodes::Named(names)
            }
        }
    }

    fn policy(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        let is_name =
            text.split('/').filter(|part| !part.is_empty()).count() == 2 && text.matches('/').count() == 1;
        if !is_name {
            self.problem(place(node), format!("`{text}` is no policy"), "write it as NAMESPACE/NAME");
        }
        is_name.then(|| text.to_owned())
    }

    fn backends(&mut self, node: &Node) -> Vec<BackendPattern> {
        let texts = self.texts(node);
        if texts.is_empty() {
            self.problem(place(node), "`backends` names no backend", BACKENDS);
        }
        texts.into_iter().filter_map(|(at, text)| self.parse(at, text, "backend", BACKENDS)).collect()
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, node: &Node, what: &str, help: &str) -> Option<T> {
        let text = self.text(node)?;
        self.parse(place(node), text, what, help)
    }

    fn parse<T: FromStr<Err: Display>>(
        &mut self,
        at: Place,
        text: &str,
        what: &str,
        help: &str,
    ) -> Option<T> {
        let parsed = text.parse();
        parsed.map_err(|error| self.problem(at, format!("`{text}` is no {what}: {error}"), help)).ok()
    }

    fn one_of<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.text(node)?;
        let found = all.iter().copied().find(|one| name(*one) == text);
        if found.is_none() {
            let names: Vec<_> = all.iter().map(|one| name(*one)).collect();
            self.problem(
                place(node),
                format!("`{text}` is not {what}"),
                format!("write one of {}", names.join(", ")),
            );
        }
        found
    }

    /// The fields of a mapping; those that are not known are problems.
    fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<Fields<'n>> {
        let Tree::Map(entries) = &node.value else {
            self.problem(
                place(node),
                format!("this is not {what}"),
                format!("it has the fields {}", known.join(", ")),
            );
            return None;
        };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.value.as_str())) {
            self.problem(
                key.referenced.into(),
                format!("{what} has no field `{}`", key.value),
                format!("it has the fields {}", known.join(", ")),
            );
        }
        Some(entries.iter().map(|(key, value)| (key.value.as_str(), value)).collect())
    }

    fn required<'n>(&mut self, node: &Node, fields: &Fields<'n>, name: &str, help: &str) -> Option<&'n Node> {
        let found = fields.get(name).copied();
        if found.is_none() {
            self.problem(place(node), format!("`{name}` is missing"), help);
        }
        found
    }

    fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        match &node.value {
            Tree::Text(text) if !text.is_empty() => Some(text),
            Tree::Text(_) | Tree::Null | Tree::List(_) | Tree::Map(_) => {
                self.problem(place(node), "this is no text", "write one value");
                None
            }
        }
    }

    /// One text, or a list of them.
    fn texts<'n>(&mut self, node: &'n Node) -> Vec<(Place, &'n str)> {
        match &node.value {
            Tree::List(list) => list.iter().filter_map(|one| Some((place(one), self.text(one)?))).collect(),
            Tree::Text(_) | Tree::Null | Tree::Map(_) => {
                self.text(node).map(|text| (place(node), text)).into_iter().collect()
            }
        }
    }
}

const STATES: [State; 3] = [State::Redirect, State::Original, State::Drop];

const FLOWS: &str = "write it as `tcp from NAMESPACE/POD to 169.254.169.254:80`; pods also as NAMESPACE/PREFIX* or \
                     NAMESPACE/{LABEL=VALUE}, and a Service as NAMESPACE/NAME:PORT";

const DECISIONS: &str = "write `redirect`, `original` or `drop`";

const BACKENDS: &str = "write pods as NAMESPACE/NAME, NAMESPACE/PREFIX* or NAMESPACE/{LABEL=VALUE}, or an address, each \
                        with :PORT behind it where that counts";

fn place(node: &Node) -> Place {
    node.referenced.into()
}

/// An expectation in one line.
fn described(expectation: &Expectation) -> String {
    let Expectation { flow, nodes, decision, reason, policy, backends } = expectation;
    let mut text = format!("{flow}: {decision}");
    if !backends.is_empty() {
        let backends: Vec<_> = backends.iter().map(ToString::to_string).collect();
        text += &format!(" to {}", backends.join(" or "));
    }
    if let Some(reason) = reason {
        text += &format!(" ({reason})");
    }
    if let Some(policy) = policy {
        text += &format!(" by {policy}");
    }
    match nodes {
        Nodes::Possible => {}
        Nodes::All => text += " on every node",
        Nodes::Named(names) => text += &format!(" on {}", names.join(", ")),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let problems = read(text).err().unwrap_or_default();
        let at = |problem: &Problem| problem.at.map(|at| format!("{at}: ")).unwrap_or_default();
        problems.iter().map(|problem| at(problem) + &problem.message).collect()
    }

    const HEAD: &str = "policies: .\ninventories: cluster.yaml\nexpect:\n";

    #[test]
    fn a_row_is_named_by_what_it_says() {
        let row = "- flow: tcp from a/{app=web} to b/svc:80\n  decision: redirect\n  backends: b/{app=x}:8080\n  nodes: all\n";
        let tables = read(&format!(
            "{HEAD}{row}---\n---\n{HEAD}- {{flow: \"udp from host to [::1]:1\", decision: drop, reason: no-ready-backend}}\n"
        ));
        let names: Vec<_> =
            tables.ok().unwrap().into_iter().flat_map(|table| table.rows).map(|row| row.name).collect();
        assert_eq!(
            names,
            [
                "tcp from a/{app=web} to b/svc:80: redirect to b/{app=x}:8080 on every node",
                "udp from host to [::1]:1: drop (no-ready-backend)"
            ]
        );
    }

    #[test]
    fn every_mistake_is_told_at_its_place() {
        let rows = "\
- flow: tcp to 1.2.3.4:80
  decision: redirected
- decision: drop
  backends: a/b
- flow: tcp from host to 1.2.3.4:80
  decision: redirect
  reason: no-frontend
  polciy: a/b
  policy: a
  nodes: []
- ü: 1
";
        assert_eq!(
            problems(&format!("{HEAD}{rows}---\nexpect: []\n")),
            [
                "4:9: `tcp to 1.2.3.4:80` is no flow: expected `from` at character 5, found `to`",
                "5:13: `redirected` is not a decision",
                "6:3: `flow` is missing",
                "10:11: a redirected connection has no reason",
                "11:3: an expectation has no field `polciy`",
                "12:11: `a` is no policy",
                "13:10: `nodes` names no node",
                "14:3: `decision` is missing",
                "14:3: `flow` is missing",
                "14:3: an expectation has no field `ü`",
                "16:1: `inventories` is missing",
                "16:1: `policies` is missing",
                "16:9: the table expects nothing",
            ]
        );
    }

    #[test]
    fn what_is_no_table_is_a_mistake() {
        assert_eq!(problems(""), ["there is no table in it"]);
        assert_eq!(problems("- a\n"), ["1:1: this is not a table"]);
        assert_eq!(problems("expect: [\n").len(), 1);
        assert_eq!(problems("expect: []\nexpect: []\n").len(), 1);
    }
}
