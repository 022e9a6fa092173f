//! What was counted, as tables for people.

use std::net::SocketAddr;

use lrpc_loader::node::{FrontendTally, PolicyTally, Tally};

use crate::output::{Cell, Column, Keep, Style, Table, Text};

/// A line for each frontend that somebody connected or sent to.
pub(super) fn by_frontend(tallies: &[FrontendTally], width: usize) -> Text {
    let counted = tallies.iter().filter(|tally| !tally.tally.is_zero());
    let rows = counted.map(|FrontendTally { address, port, protocol, policy, tally }| {
        (
            format!("{}/{protocol}", SocketAddr::new(*address, *port)),
            tally,
            policy.as_deref().unwrap_or_default(),
        )
    });
    table("FRONTEND", rows, "POLICY", width)
}

/// A line for each policy.
pub(super) fn by_policy(tallies: &[PolicyTally], width: usize) -> Text {
    let name = |policy: &Option<String>| policy.clone().unwrap_or_else(|| "(of no active policy)".to_owned());
    table("POLICY", tallies.iter().map(|PolicyTally { policy, tally }| (name(policy), tally, "")), "", width)
}

fn table<'a>(
    title: &'static str,
    rows: impl Iterator<Item = (String, &'a Tally, &'a str)>,
    last: &'static str,
    width: usize,
) -> Text {
    let column = |title, keep| Column { title, keep };
    let columns = [
        column(title, Keep::Whole),
        column("REDIRECTED", Keep::Whole),
        column("DROPPED", Keep::Whole),
        column("OWN", Keep::Whole),
        column("NO CLIENT", Keep::Whole),
        column(last, Keep::End),
    ];
    let mut rows = rows
        .map(|(name, tally, last)| {
            let dropped = if tally.dropped == 0 { Style::Plain } else { Style::Bad };
            [
                name.into(),
                tally.redirected.to_string().into(),
                Cell::new(dropped, tally.dropped.to_string()),
                tally.own.to_string().into(),
                tally.no_client.to_string().into(),
                last.into(),
            ]
        })
        .peekable();
    match rows.peek() {
        Some(_) => Table::new(columns, rows).render(width),
        None => "nothing was counted yet\n".into(),
    }
}
