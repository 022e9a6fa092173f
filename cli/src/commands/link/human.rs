//! What a node would get, and what the nodes of a cluster would do, for people.

use std::collections::{BTreeMap, BTreeSet};

use lrpc_linker::mapset::{Frontend, ShownRow, State};
use lrpc_linker::profile::Profile;
use lrpc_linker::{Linked, MapSet};
use lrpc_schema::image::{Image, PolicyName};

use crate::commands::row;
use crate::output::{Cell, Column, Keep, Style, Table, Text, counted};

/// Nodes that are named beside their count.
const NAMED: usize = 3;

/// The rows of a node, under how many there are of each state.
pub(super) fn node(name: &str, map_set: &MapSet, profile: Profile, width: usize) -> Text {
    let rows: Vec<ShownRow> = map_set.rows().iter().map(|row| ShownRow::of(row, profile)).collect();
    let mut text = Text::default();
    text.push("node ").paint(Style::Bold, name).push(": ");
    text.append(counts(&rows));
    text.push("\n").paint(Style::Dim, &map_set.digest().to_string()).push("\n");
    if !rows.is_empty() {
        text.append(row::table(&rows, width));
    }
    text
}

/// `5 frontends: 2 redirect, 1 left out, 1 original, 1 drop`.
fn counts(rows: &[ShownRow]) -> Text {
    let mut text = Text::from(counted(rows.len(), "frontend", "frontends"));
    let each = [State::Redirect.as_str(), row::LEFT_OUT, State::Original.as_str(), State::Drop.as_str()];
    let each = each.map(|state| (state, rows.iter().filter(|shown| row::state(shown) == state).count()));
    for (index, (state, count)) in each.into_iter().filter(|(_, count)| *count > 0).enumerate() {
        text.push(if index == 0 { ": " } else { ", " });
        text.paint(row::style(state), &format!("{count} {state}"));
    }
    text
}

/// What a policy does on some of the nodes.
#[derive(Default)]
struct Share<'a> {
    nodes: Vec<&'a str>,
    frontends: BTreeSet<Frontend>,
}

/// A row for each policy and state, with the nodes on which it is so.
pub(super) fn cluster(image: &Image, linked: &[(&str, Linked)], profile: Profile, width: usize) -> Text {
    let mut shares: BTreeMap<(&PolicyName, &str, &str), Share<'_>> = BTreeMap::new();
    for (node, linked) in linked {
        for row in linked.map_set.rows() {
            let (state, reason) = match profile.left_out(row) {
                Some(gap) => (row::LEFT_OUT, gap.as_str()),
                None => (row.state().as_str(), row.reason().map_or("", |reason| reason.as_str())),
            };
            let share = shares.entry((&row.policy, state, reason)).or_default();
            if share.nodes.last() != Some(node) {
                share.nodes.push(node);
            }
            share.frontends.insert(row.frontend);
        }
    }
    let policies = image.policies().iter().map(|policy| &policy.name);
    let with_rows: BTreeSet<_> = shares.keys().map(|(policy, ..)| *policy).collect();
    let without = policies.filter(|policy| !with_rows.contains(policy));
    shares.extend(without.map(|policy| ((policy, "none", "no frontend on any node"), Share::default())));

    let column = |title, keep| Column { title, keep };
    let columns = [
        column("POLICY", Keep::End),
        column("STATE", Keep::Whole),
        column("NODES", Keep::Whole),
        column("FRONTENDS", Keep::Whole),
        column("WHY", Keep::Whole),
        column("WHERE", Keep::IfItFits),
    ];
    let total = linked.len();
    let rows = shares.iter().map(|((policy, state, reason), share)| {
        [
            policy.to_string().into(),
            Cell::new(row::style(state), *state),
            format!("{} of {total}", share.nodes.len()).into(),
            share.frontends.len().to_string().into(),
            (*reason).into(),
            named(&share.nodes, total).into(),
        ]
    });
    let policies = counted(image.policies().len(), "policy", "policies");
    let mut text = Text::from(format!("{policies} on {}\n", counted(total, "node", "nodes")));
    if !shares.is_empty() {
        text.append(Table::new(columns, rows).render(width));
    }
    text
}

/// The nodes, where they are few and not all.
fn named(nodes: &[&str], total: usize) -> String {
    if nodes.len() > NAMED || nodes.len() == total { String::new() } else { nodes.join(", ") }
}
