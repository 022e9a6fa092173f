//! `lrpc link`: the map set that a node would get.

use ipnet::IpNet;
use lrpc_linker::inventory::{Inventory, Problem};
use lrpc_linker::mapset::ShownRow;
use lrpc_linker::{LinkError, Linked};
use lrpc_schema::image::Image;
use serde::Serialize;

use crate::arguments::{InventoryArgs, SetArgs};
use crate::commands::row;
use crate::exit::{Failure, Outcome};
use crate::inventory::{self, Given};
use crate::output::{Format, Output};
use crate::report::human::{self, Detail};
use crate::report::json::{self, DiagnosticView};
use crate::report::{self, Report};
use crate::set;

/// Show the map set that a node would get
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc link policies.lrpc --inventory cluster.yaml --node worker-1")]
pub(crate) struct Args {
    #[command(flatten)]
    set: SetArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    /// The node, by its name in the inventory
    #[arg(long, value_name = "N")]
    node: String,

    /// Narrow the addresses that the image allows to these (repeatable)
    #[arg(long, value_name = "CIDR")]
    allow_address: Vec<IpNet>,

    /// End with 1 also for warnings
    #[arg(long)]
    deny_warnings: bool,

    /// Show each of many diagnostics of one kind
    #[arg(long)]
    all: bool,

    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct LinkView<'a> {
    node: &'a str,
    image: String,
    digest: String,
    frontends: Vec<ShownRow>,
    diagnostics: Vec<DiagnosticView<'a>>,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let image = set::require(&args.set, output)?;
    let given = inventory::require(&args.inventory.inventory)?;
    let linked = link(&image, &given.inventory, &args.node, &args.allow_address)?;
    let reports = reports(&given, &linked, &image);
    let rows = linked.map_set.rows().iter().map(ShownRow::from);
    match args.format {
        Format::Json => output.json(&LinkView {
            node: &args.node,
            image: image.digest().to_string(),
            digest: linked.map_set.digest().to_string(),
            frontends: rows.collect(),
            diagnostics: json::views(&reports),
        })?,
        Format::Human => {
            output.message(human::render(&reports, Detail::asked(args.all), output.messages()));
            let title = format!("node {}, {}\n", args.node, linked.map_set.digest());
            output.result(rows.fold(title, |text, shown| text + &row::render(&shown)))?;
        }
    }
    Ok(report::status(&reports, args.deny_warnings))
}

/// Links an image for one node; `narrow` narrows the image's allow-list where it is not empty (L14).
///
/// # Errors
/// When the node is not in the inventory; the message names those that are.
pub(crate) fn link(
    image: &Image,
    inventory: &Inventory,
    node: &str,
    narrow: &[IpNet],
) -> Result<Linked, Failure> {
    let narrow = (!narrow.is_empty()).then_some(narrow);
    lrpc_linker::link(image, inventory, node, narrow).map_err(|error| unknown_node(&error, inventory))
}

/// A node that the inventory does not have; the help names those that it has.
pub(crate) fn unknown_node(error: &LinkError, inventory: &Inventory) -> Failure {
    match error {
        LinkError::NoSuchNode { .. } => Failure::new(error.to_string()).help(known_nodes(inventory)),
    }
}

fn known_nodes(inventory: &Inventory) -> String {
    const SHOWN: usize = 10;
    let count = inventory.nodes().len();
    let names: Vec<&str> = inventory.nodes().take(SHOWN).map(|node| &*node.name).collect();
    match count.saturating_sub(names.len()) {
        0 => format!("the inventory has {}", names.join(", ")),
        more => format!("the inventory has {} and {more} more", names.join(", ")),
    }
}

/// What is wrong with the inventory, and what linking found, at the places that the image remembers.
pub(crate) fn reports(given: &Given, linked: &Linked, image: &Image) -> Vec<Report> {
    let found = linked.findings.iter().cloned();
    let found = found.map(|finding| report::of_image(finding, image.places()));
    given.problems.iter().map(Problem::diagnostic).chain(found).collect()
}
