//! Each change in words, the same for every format.

use std::net::SocketAddr;

use lrpc_linker::diff::{Delta, Field, FrontendChange, FrontendName, RowChange, targets};
use lrpc_linker::mapset::{ShownBackend, ShownRow};
use lrpc_schema::image::{Clients, Fallback, Policy, PortSpec};

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
}

impl Line {
    fn changed(label: &'static str, old: String, new: String) -> Self {
        Self { label, old: Some(old), new: Some(new), breaking: None }
    }

    fn lost(label: &'static str, old: String) -> Self {
        Self { label, old: Some(old), new: None, breaking: None }
    }

    fn gained(label: &'static str, new: String) -> Self {
        Self { label, old: None, new: Some(new), breaking: None }
    }
}

/// How a frontend's policies differ; of one that comes or goes, what its policy says.
pub(super) fn of_frontend(change: &FrontendChange<'_>) -> Vec<Line> {
    let frontend = change.frontend;
    match (change.old, change.new) {
        (Some(old), Some(new)) => {
            let line = |delta: &Delta| Line {
                breaking: delta.breaking.map(lrpc_linker::diff::Breaking::as_str),
                ..Line::changed(
                    label(delta.field),
                    value(delta.field, frontend, old),
                    value(delta.field, frontend, new),
                )
            };
            change.deltas.iter().map(line).collect()
        }
        (Some(old), None) => {
            whole(old).map(|field| Line::lost(label(field), value(field, frontend, old))).collect()
        }
        (None, Some(new)) => {
            whole(new).map(|field| Line::gained(label(field), value(field, frontend, new))).collect()
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

fn value(field: Field, frontend: FrontendName<'_>, policy: &Policy) -> String {
    let either = |condition: bool, yes: &str, no: &str| if condition { yes } else { no }.to_owned();
    match field {
        Field::Policy => policy.name.to_string(),
        Field::Selector if policy.backend.selector.is_empty() => "every pod".to_owned(),
        Field::Selector => policy.backend.selector.to_string(),
        Field::Ports => {
            let port = |spec: &&PortSpec| match policy.names_count() {
                true => spec.to_string(),
                false => format!("{}/{}", spec.port, spec.protocol),
            };
            let served = targets(policy, frontend);
            listed(&served.iter().map(port).collect::<Vec<_>>())
        }
        Field::Address => {
            policy.backend.address.map_or("the pod's".to_owned(), |address| address.to_string())
        }
        Field::Skip => either(policy.skip, "left alone", "redirected"),
        Field::Fallback => policy.fallback.as_str().to_owned(),
        Field::Clients => policy.clients.to_string(),
        Field::Nodes => policy.nodes.as_ref().map_or("every node".to_owned(), ToString::to_string),
        Field::ShadowService => either(policy.shadow_service, "may be taken over", "stays the Service's"),
    }
}

/// A row's frontend as `ADDR:PORT/PROTO`.
pub(super) fn frontend(row: &ShownRow) -> String {
    format!("{}/{}", SocketAddr::new(row.address, row.port), row.protocol)
}

/// How a node's rows of a frontend differ; of one that comes or goes, what happens there.
pub(super) fn of_row(change: &RowChange) -> Vec<Line> {
    let mut lines = Vec::new();
    let (old, new) = (change.old.as_ref(), change.new.as_ref());
    match (old, new) {
        (Some(old), Some(new)) => {
            for (label, say) in SAID {
                let changed = say(old).zip(say(new)).filter(|(old, new)| old != new);
                lines.extend(changed.map(|(old, new)| Line::changed(label, old, new)));
            }
        }
        (Some(old), None) => lines.push(Line::lost("state", outcome(old))),
        (None, Some(new)) => lines.push(Line::gained("state", outcome(new))),
        (None, None) => {}
    }
    let backends = |row: Option<&ShownRow>| -> Vec<String> {
        row.map(|row| row.backends.iter().map(backend).collect()).unwrap_or_default()
    };
    let (old, new) = (backends(old), backends(new));
    let lost = old.iter().filter(|one| !new.contains(one));
    lines.extend(lost.map(|one| Line::lost("backend", one.clone())));
    let gained = new.iter().filter(|one| !old.contains(one));
    lines.extend(gained.map(|one| Line::gained("backend", one.clone())));
    lines
}

/// What a row says of itself; nothing where the kernel cannot know it.
type Say = fn(&ShownRow) -> Option<String>;

const SAID: [(&str, Say); 5] = [
    ("state", |row| Some(outcome(row))),
    ("policy", |row| row.policy.clone()),
    ("Service", |row| row.policy.as_ref().map(|_| row.service.clone().unwrap_or("none".to_owned()))),
    ("clients", |row| row.clients.clone()),
    ("exempt pods", |row| row.skip.as_ref().map(|pods| listed(pods))),
];

fn outcome(row: &ShownRow) -> String {
    match &row.reason {
        Some(reason) => format!("{} ({reason})", row.state),
        None => row.state.clone(),
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
