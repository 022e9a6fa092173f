//! The frontends of a node for people: a table, as `link` and `dump` print it, and a line each, for other
//! programs' comparisons.

use std::fmt::Write as _;
use std::net::SocketAddr;

use lrpc_linker::mapset::{ShownBackend, ShownRow};

use crate::output::{Cell, Column, Keep, Style, Table, Text};

/// A line for each backend of each frontend, with what happens and by whose wish.
pub(crate) fn table(rows: &[ShownRow], width: usize) -> Text {
    let column = |title, keep| Column { title, keep };
    let columns = [
        column("FRONTEND", Keep::Whole),
        column("STATE", Keep::Whole),
        column("TO, OR WHY NOT", Keep::Whole),
        column("CLIENTS", Keep::Cut),
        column("POLICY", Keep::End),
        column("PODS", Keep::IfItFits),
        column("SERVICE", Keep::IfItFits),
        column("NOT FROM", Keep::IfItFits),
    ];
    Table::new(columns, rows.iter().flat_map(lines)).render(width)
}

/// The lines of one frontend; those behind the first have another backend and nothing else.
fn lines(row: &ShownRow) -> Vec<[Cell; 8]> {
    let clients = row.clients.as_deref().filter(|clients| *clients != "all");
    let skip = row.skip.as_ref().map(|pods| pods.join(", "));
    let first = row.backends.first();
    let gap = row.left_out.map(|gap| gap.as_str().to_owned());
    let to = gap
        .or_else(|| first.map(address))
        .or_else(|| row.reason.map(|reason| reason.to_string()))
        .unwrap_or_default();
    let mut lines = vec![[
        frontend(row).into(),
        Cell::new(style(state(row)), state(row)),
        to.into(),
        clients.unwrap_or_default().into(),
        row.policy.as_deref().unwrap_or_default().into(),
        first.map(pods).unwrap_or_default().into(),
        row.service.as_deref().unwrap_or_default().into(),
        skip.unwrap_or_default().into(),
    ]];
    // What is left out goes nowhere.
    let others = row.backends.iter().skip(1).filter(|_| row.left_out.is_none());
    lines.extend(others.map(|backend| {
        let mut line = <[Cell; 8]>::default();
        let [_, _, to, _, _, names, ..] = &mut line;
        *to = address(backend).into();
        *names = pods(backend).into();
        line
    }));
    lines
}

/// What is said of a row that a node does not carry.
pub(crate) const LEFT_OUT: &str = "left out";

/// What happens to a row on a node.
pub(crate) fn state(row: &ShownRow) -> &'static str {
    if row.left_out.is_some() { LEFT_OUT } else { row.state_name() }
}

/// How a state looks: `drop` is nothing to be calm about.
pub(crate) fn style(state: &str) -> Style {
    match state {
        "redirect" => Style::Good,
        "drop" => Style::Bad,
        _ => Style::Changed,
    }
}

/// The frontend as `ADDR:PORT/PROTO`.
pub(crate) fn frontend(row: &ShownRow) -> String {
    format!("{}/{}", SocketAddr::new(row.address, row.port), row.protocol_name())
}

fn address(backend: &ShownBackend) -> String {
    SocketAddr::new(backend.address, backend.port).to_string()
}

fn pods(backend: &ShownBackend) -> String {
    backend.pods.as_ref().map(|pods| pods.join(", ")).unwrap_or_default()
}

/// Frontend, what happens, and by whose wish, in one line.
pub(crate) fn line(row: &ShownRow) -> String {
    format!("{}  {}\n", frontend(row), outcome(row))
}

/// What happens to a frontend, and by whose wish, in one line.
pub(crate) fn outcome(row: &ShownRow) -> String {
    let mut text = row.state_name().to_owned();
    for backend in &row.backends {
        // Writing to a `String` cannot fail, here and below.
        let _ = write!(text, "  {}", address(backend));
        if let Some(pods) = &backend.pods {
            let _ = write!(text, " ({})", pods.join(", "));
        }
    }
    if let Some(reason) = row.reason {
        let _ = write!(text, "  {reason}");
    }
    if let Some(policy) = &row.policy {
        let _ = write!(text, "  policy {policy}");
    }
    if let Some(service) = &row.service {
        let _ = write!(text, "  service {service}");
    }
    if let Some(skip) = row.skip.as_ref().filter(|skip| !skip.is_empty()) {
        let _ = write!(text, "  not from {}", skip.join(", "));
    }
    if let Some(clients) = row.clients.as_ref().filter(|clients| *clients != "all") {
        let _ = write!(text, "  clients {clients}");
    }
    if let Some(gap) = row.left_out {
        let _ = write!(text, "  left out: {}", gap.as_str());
    }
    text
}
