//! Each change in words, the same for every format.

use std::net::SocketAddr;

use lrpc_linker::diff::{Change, Delta, Field, FrontendChange, RowChange};
use lrpc_linker::mapset::{ShownBackend, ShownRow, State};
use lrpc_schema::image::{Clients, Fallback, Policy, PortSpec};

use crate::commands::policy::{FEW, cut};

/// What a change means for those who connect, whether something comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tone {
    /// More is redirected than before.
    Better,
    /// It is done otherwise.
    Other,
    /// Something breaks, or connections are refused.
    Worse,
}

impl Tone {
    /// The name in pages.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Other => "other",
            Self::Worse => "worse",
        }
    }

    /// The tone of what comes (`+`) where nothing breaks, or is another.
    pub(super) fn of(breaks: bool, change: Change) -> Self {
        match change {
            _ if breaks => Self::Worse,
            Change::Added => Self::Better,
            Change::Removed | Change::Changed => Self::Other,
        }
    }

    /// The tone of a frontend that a node treats differently.
    pub(super) fn of_row(change: &RowChange) -> Self {
        let state = |row: &Option<ShownRow>| row.as_ref().and_then(|row| row.state);
        let carried = |row: &Option<ShownRow>| row.as_ref().is_some_and(|row| row.left_out.is_none());
        let (old, new) = (state(&change.old), state(&change.new));
        match new {
            _ if !change.breaking.is_empty() => Self::Worse,
            Some(State::Drop) => Self::Worse,
            Some(State::Redirect) if old != new && carried(&change.new) => Self::Better,
            Some(State::Redirect | State::Original) | None => Self::Other,
        }
    }
}

/// One thing that is different: what, how it was, how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) label: &'static str,
    /// `None` where there was nothing.
    pub(super) old: Option<String>,
    /// `None` where there is nothing.
    pub(super) new: Option<String>,
    /// What it breaks.
    pub(super) breaking: Option<&'static str>,
    pub(super) tone: Tone,
    /// What it says where nodes are alike; `None` where that is what it says anyway. Each node has its own pods.
    pub(super) alike: Option<String>,
}

impl Line {
    fn new(label: &'static str, old: Option<String>, new: Option<String>) -> Self {
        Self { label, old, new, breaking: None, tone: Tone::Other, alike: None }
    }

    fn changed(label: &'static str, old: String, new: String) -> Self {
        Self::new(label, Some(old), Some(new))
    }

    fn lost(label: &'static str, old: String) -> Self {
        Self::new(label, Some(old), None)
    }

    fn gained(label: &'static str, new: String) -> Self {
        Self::new(label, None, Some(new))
    }

    fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// How a frontend's policies differ; of one that comes or goes, what its policy says.
pub(super) fn of_frontend(change: &FrontendChange<'_>) -> Vec<Line> {
    match (change.old, change.new) {
        (Some(old), Some(new)) => {
            let line = |delta: &Delta| Line {
                breaking: delta.breaking.map(lrpc_linker::diff::Breaking::as_str),
                tone: Tone::of(delta.breaking.is_some(), Change::Changed),
                ..Line::changed(
                    label(delta.field),
                    value(delta.field, old, &change.old_ports),
                    value(delta.field, new, &change.new_ports),
                )
            };
            change.deltas.iter().map(line).collect()
        }
        (Some(old), None) => {
            whole(old).map(|field| Line::lost(label(field), value(field, old, &change.old_ports))).collect()
        }
        (None, Some(new)) => {
            whole(new).map(|field| Line::gained(label(field), value(field, new, &change.new_ports))).collect()
        }
        (None, None) => Vec::new(),
    }
}

/// The fields that say what a policy does, without those that say the usual.
fn whole(policy: &Policy) -> impl Iterator<Item = Field> {
    let fields = [
        (Field::Selector, true),
        (Field::Ports, true),
        (Field::Address, policy.backend.address.is_some()),
        (Field::Skip, policy.skip),
        (Field::Fallback, policy.fallback != Fallback::Original),
        (Field::Clients, policy.clients != Clients::All),
        (Field::Nodes, policy.nodes.is_some()),
        (Field::ShadowService, policy.shadow_service),
    ];
    fields.into_iter().filter(|(_, said)| *said).map(|(field, _)| field)
}

fn label(field: Field) -> &'static str {
    match field {
        Field::Policy => "policy",
        Field::Selector => "pods",
        Field::Ports => "backend ports",
        Field::Address => "host address",
        Field::Skip => "own traffic",
        Field::Fallback => "fallback",
        Field::Clients => "clients",
        Field::Nodes => "nodes",
        Field::ShadowService => "Service address",
    }
}

/// What a policy says in a field. It is said of each of its frontends, so a long text is cut.
fn value(field: Field, policy: &Policy, served: &[&PortSpec]) -> String {
    let either = |condition: bool, yes: &str, no: &str| if condition { yes } else { no }.to_owned();
    match field {
        Field::Policy => policy.name.to_string(),
        Field::Selector if policy.backend.selector.is_empty() => "every pod".to_owned(),
        Field::Selector => cut(&policy.backend.selector),
        Field::Ports => {
            let port = |spec: &&PortSpec| match policy.do_names_count() {
                true => spec.to_string(),
                false => format!("{}/{}", spec.port, spec.protocol),
            };
            let mut said: Vec<_> = served.iter().take(FEW).map(port).collect();
            let more = served.len().checked_sub(FEW).filter(|more| *more > 0);
            said.extend(more.map(|more| format!("{more} more")));
            listed(&said)
        }
        Field::Address => {
            policy.backend.address.map_or("the pod's".to_owned(), |address| address.to_string())
        }
        Field::Skip => either(policy.skip, "left alone", "redirected"),
        Field::Fallback => policy.fallback.as_str().to_owned(),
        Field::Clients => cut(&policy.clients),
        Field::Nodes => policy.nodes.as_ref().map_or("every node".to_owned(), |nodes| cut(nodes)),
        Field::ShadowService => either(policy.shadow_service, "may be taken over", "stays the Service's"),
    }
}

/// How a node's rows of a frontend differ; of one that comes or goes, what happens there.
pub(super) fn of_row(change: &RowChange) -> Vec<Line> {
    let mut lines = Vec::new();
    let (old, new) = (change.old.as_ref(), change.new.as_ref());
    let tone = Tone::of_row(change);
    match (old, new) {
        (Some(old), Some(new)) => {
            let (was, is) = (outcome(old), outcome(new));
            lines.extend((was != is).then(|| Line::changed(STATE, was, is).toned(tone)));
            for (label, say) in SAID {
                let changed = say(old).zip(say(new)).filter(|(old, new)| old != new);
                lines.extend(changed.map(|(old, new)| Line::changed(label, old, new)));
            }
            lines.extend(exempt(old, new));
        }
        (Some(old), None) => lines.push(Line::lost(STATE, outcome(old)).toned(tone)),
        (None, Some(new)) => lines.push(Line::gained(STATE, outcome(new)).toned(tone)),
        (None, None) => {}
    }
    let backends = |row: Option<&ShownRow>| -> Vec<(String, String)> {
        let said = |one: &ShownBackend| (backend(one), format!(":{}", one.port));
        row.map(|row| row.backends.iter().map(said).collect()).unwrap_or_default()
    };
    let (old, new) = (backends(old), backends(new));
    let line = |line: fn(&'static str, String) -> Line, (said, port): &(String, String)| Line {
        alike: Some(port.clone()),
        ..line("backend", said.clone())
    };
    lines.extend(old.iter().filter(|one| !new.contains(one)).map(|one| line(Line::lost, one)));
    lines.extend(new.iter().filter(|one| !old.contains(one)).map(|one| line(Line::gained, one)));
    lines
}

/// The label of what happens.
pub(super) const STATE: &str = "state";

/// What a row says of itself; nothing where the kernel cannot know it.
type Say = fn(&ShownRow) -> Option<String>;

const SAID: [(&str, Say); 3] = [
    ("policy", |row| row.policy.clone()),
    ("Service", |row| row.policy.as_ref().map(|_| row.service.clone().unwrap_or("none".to_owned()))),
    ("clients", |row| row.clients.clone()),
];

/// Which pods are left alone. Nodes are alike in whether there are any.
fn exempt(old: &ShownRow, new: &ShownRow) -> Option<Line> {
    let (old, new) = (old.skip.as_ref()?, new.skip.as_ref()?);
    let any = |pods: &[String]| if pods.is_empty() { "none" } else { "some" };
    let alike = format!("{} {}", any(old), any(new));
    (old != new)
        .then(|| Line { alike: Some(alike), ..Line::changed("exempt pods", listed(old), listed(new)) })
}

fn outcome(row: &ShownRow) -> String {
    let state = row.state_name();
    match (row.reason, row.left_out) {
        (_, Some(gap)) => format!("{state}, left out ({})", gap.as_str()),
        (Some(reason), None) => format!("{state} ({reason})"),
        (None, None) => state.to_owned(),
    }
}

fn listed(list: &[String]) -> String {
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

fn backend(backend: &ShownBackend) -> String {
    let address = SocketAddr::new(backend.address, backend.port);
    match &backend.pods {
        Some(pods) => format!("{address} ({})", pods.join(", ")),
        None => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use lrpc_schema::image::Protocol;

    use super::*;

    fn row(state: State) -> Option<ShownRow> {
        Some(ShownRow {
            address: [169, 254, 169, 254].into(),
            port: 80,
            protocol: Some(Protocol::Tcp),
            policy: None,
            service: None,
            state: Some(state),
            reason: None,
            backends: Vec::new(),
            skip: None,
            clients: None,
            left_out: None,
        })
    }

    fn tone(old: Option<ShownRow>, new: Option<ShownRow>) -> (Tone, Vec<Tone>) {
        let change = RowChange { change: Change::Changed, old, new, breaking: Vec::new() };
        (Tone::of_row(&change), of_row(&change).into_iter().map(|line| line.tone).collect())
    }

    #[test]
    fn a_drop_is_never_good_news() {
        for old in [None, row(State::Redirect), row(State::Original), row(State::Drop)] {
            let (whole, lines) = tone(old, row(State::Drop));
            assert_eq!(whole, Tone::Worse);
            assert!(lines.iter().all(|line| *line == Tone::Worse));
        }
        for old in [None, row(State::Original), row(State::Drop)] {
            assert_eq!(tone(old, row(State::Redirect)), (Tone::Better, vec![Tone::Better]));
        }
        assert_eq!(tone(None, row(State::Original)), (Tone::Other, vec![Tone::Other]));
    }
}
