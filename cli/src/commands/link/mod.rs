//! `lrpc link`: the map set that a node would get, or what every node would do.

mod human;

use ipnet::IpNet;
use lrpc_linker::inventory::{Inventory, Problem};
use lrpc_linker::mapset::ShownRow;
use lrpc_linker::profile::Profile;
use lrpc_linker::{Finding, LinkError, Linked, Linker, MapSet, findings};
use lrpc_schema::image::{Image, Places};
use serde::Serialize;

use crate::arguments::{InventoryArgs, ModeArgs, SetArgs};
use crate::exit::{Failure, Outcome};
use crate::inventory::{self, Given};
use crate::output::{Format, Output};
use crate::parallel;
use crate::report::human::{self as diagnostics, Detail};
use crate::report::json::{self, DiagnosticView};
use crate::report::{self, Report};
use crate::set;

/// Show the map set that a node would get, or what every node would do
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc link policies --inventory cluster.yaml --node worker-1")]
pub(crate) struct Args {
    #[command(flatten)]
    set: SetArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    /// The node, by its name in the inventory [default: the whole cluster]
    #[arg(long, value_name = "N")]
    node: Option<String>,

    #[command(flatten)]
    mode: ModeArgs,

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

/// What a node would get, in the shape that scripts hold on to.
#[derive(Serialize)]
struct LinkView<'a> {
    node: &'a str,
    image: String,
    digest: String,
    frontends: Vec<ShownRow>,
    diagnostics: Vec<DiagnosticView<'a>>,
}

#[derive(Serialize)]
struct ClusterView<'a> {
    nodes: Vec<LinkView<'a>>,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let image = set::require(&args.set, output)?;
    let given = inventory::require(&args.inventory.inventory)?;
    match &args.node {
        Some(node) => run_node(args, node, &image, &given, output),
        None => run_cluster(args, &image, &given, output),
    }
}

fn run_node(args: &Args, node: &str, image: &Image, given: &Given, output: Output) -> Outcome {
    let profile = args.mode.profile();
    let linked = link(image, &given.inventory, node, &args.allow_address)?;
    let Linked { map_set, findings } = linked;
    let reports = reports(given, findings, image.places());
    match args.format {
        Format::Json => output.json(&LinkView::of(node, &map_set, image, profile, &reports))?,
        Format::Human => {
            output.message(diagnostics::render(&reports, Detail::asked(args.all), output.messages()));
            output.result(human::node(node, &map_set, profile, output.results().width))?;
        }
    }
    Ok(report::status(&reports, args.deny_warnings))
}

fn run_cluster(args: &Args, image: &Image, given: &Given, output: Output) -> Outcome {
    let narrow = (!args.allow_address.is_empty()).then_some(args.allow_address.as_slice());
    let linker = Linker::new(image, &given.inventory, narrow);
    let names: Vec<&str> = given.inventory.nodes().map(|node| &*node.name).collect();
    let profile = args.mode.profile();
    let link = |name| Some((name, linker.link(name).ok()?));
    let linked = parallel::map(names, link);
    let linked: Vec<(&str, Linked)> = linked.into_iter().flatten().collect();
    match args.format {
        Format::Json => {
            let (map_sets, reports): (Vec<_>, Vec<_>) = linked
                .into_iter()
                .map(|(node, Linked { map_set, findings })| {
                    let findings = report::not_allowed(findings, image);
                    ((node, map_set), reports(given, findings, image.places()))
                })
                .unzip();
            let nodes = map_sets.iter().zip(&reports);
            let nodes =
                nodes.map(|((node, map_set), reports)| LinkView::of(node, map_set, image, profile, reports));
            output.json(&ClusterView { nodes: nodes.collect() })?;
            Ok(report::status(reports.iter().flatten(), args.deny_warnings))
        }
        Format::Human => {
            let found = linked.iter().map(|(node, linked)| ((*node).to_owned(), linked.findings.clone()));
            let found = report::not_allowed(findings::across(&linker, found), image).into_iter();
            let found = found.map(|finding| report::of_image(finding, image.places()));
            let reports: Vec<_> = given.problems.iter().map(Problem::diagnostic).chain(found).collect();
            output.message(diagnostics::render(&reports, Detail::asked(args.all), output.messages()));
            output.result(human::cluster(image, &linked, profile, output.results().width))?;
            Ok(report::status(&reports, args.deny_warnings))
        }
    }
}

impl<'a> LinkView<'a> {
    fn of(node: &'a str, map_set: &MapSet, image: &Image, profile: Profile, reports: &'a [Report]) -> Self {
        let shown = |row| ShownRow::of(row, profile);
        Self {
            node,
            image: image.digest().to_string(),
            digest: map_set.digest().to_string(),
            frontends: map_set.rows().iter().map(shown).collect(),
            diagnostics: json::views(reports),
        }
    }
}

/// Links an image for one node; `narrow` narrows the image's allow-list where it is not empty (L14). What
/// comments in the manifests allow is not found.
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
    let linker = Linker::new(image, inventory, narrow);
    let parts = linker.parts(node).map_err(|error| unknown_node(&error, inventory))?;
    let Linked { map_set, findings } = linker.join(parallel::map(parts, |part| linker.link_part(&part)));
    Ok(Linked { map_set, findings: report::not_allowed(findings, image) })
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

/// What is wrong with the inventory, and what linking found, at the places that are asked for.
pub(crate) fn reports(given: &Given, findings: Vec<Finding>, places: Option<&Places>) -> Vec<Report> {
    let found = findings.into_iter().map(|finding| report::of_image(finding, places));
    given.problems.iter().map(Problem::diagnostic).chain(found).collect()
}
