//! `lrpc diff`: what changes from one state to another, before it does.
//!
//! ```text
//! OLD, NEW ──side──▶ images, rows ──lrpc_linker::diff──▶ view ──▶ human, json, markdown, html
//! ```
//! [`side`] reads what is compared ([`crate::set`], [`live`]), [`view`] holds the result in the shape that scripts hold on to, [`words`]
//! says each change in words, [`external`] leaves showing them to a program of the user's, and [`group`] arranges them for readers: by
//! policy, what breaks first, then by node, where [`fold`] puts together what is alike. [`OfNode`] is the comparison
//! that `apply --dry-run` shows.

mod external;
mod fold;
mod group;
mod html;
mod human;
#[cfg(target_os = "linux")]
mod live;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod live;
mod markdown;
#[cfg(target_os = "linux")]
mod of_node;
mod side;
mod view;
mod words;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use ipnet::IpNet;
use lrpc_linker::diff::{RowChange, policies, rows};
use lrpc_linker::{Inventory, LinkError};

#[cfg(target_os = "linux")]
pub(crate) use self::of_node::OfNode;
use self::side::{Reader, Side};
use self::view::{DiffView, ExistingView, Titles};
use crate::arguments::{InventoryArgs, ModeArgs, RulesArgs};
use crate::commands::link;
use crate::compilation::Rules;
use crate::exit::{ExitStatus, Failure, Outcome};
use crate::inventory;
use crate::output::Output;
use crate::parallel;
use crate::report::human::{self as diagnostics, Detail};
use crate::set::Unusable;

/// Show what changes from one state to another
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lrpc diff .git#branch=main,subdir=policies policies --inventory cluster.yaml

A state is an image, a manifest file or folder, a revision of a local git repository
(DIR.git#branch=NAME,subdir=FOLDER; also tag=, commit= or ref=), or live: what this node does (on Linux).

LRPC_EXTERNAL_DIFF names a program (`diff -ru`, say) that is run instead of the human format, on two folders
with what is not the same."
)]
pub(crate) struct Args {
    /// The state before
    #[arg(value_name = "OLD")]
    old: PathBuf,

    /// The state after
    #[arg(value_name = "NEW")]
    new: PathBuf,

    #[command(flatten)]
    inventory: InventoryArgs,

    /// Compare this node only; needed by live [default: every node of the inventory]
    #[arg(long, value_name = "N")]
    node: Option<String>,

    #[command(flatten)]
    mode: ModeArgs,

    /// Show breaking changes only, and end with 1 only for them
    #[arg(long)]
    breaking: bool,

    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: DiffFormat,

    #[command(flatten)]
    rules: RulesArgs,

    /// Allow address policies only for these addresses; replaces the list in lrpc.toml (repeatable)
    #[arg(long, value_name = "CIDR")]
    allow_address: Vec<IpNet>,

    #[command(flatten)]
    live: live::Args,
}

/// How a comparison is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// For people, in a terminal
    #[default]
    Human,
    /// For programs; its shape is a promise
    Json,
    /// For a comment on a pull request
    Markdown,
    /// One page that stands alone
    Html,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let is_live = side::is_live(&args.old) || side::is_live(&args.new);
    let inventory = match args.node {
        None if is_live => return Err(side::needs_node()),
        None => inventory::read(&args.inventory.inventory)?.map(|given| given.warn(output)),
        Some(_) => Some(inventory::require(&args.inventory.inventory)?.warn(output)),
    };
    let (old, new) = read(args, output)?;
    let compared = match (old.image(), new.image()) {
        (Some(old), Some(new)) => {
            let changes = policies(old, new);
            if !changes.frontends.is_empty() {
                // Places are built when the first is asked for; this asks both sides at once.
                parallel::map(vec![old, new], |image| image.places().is_some());
            }
            Some((old, new, changes))
        }
        _ => None,
    };
    let OnNodes { nodes, existing } = match &inventory {
        Some(inventory) => compare_nodes(&old, &new, inventory, args, is_live.then_some(&args.live))?,
        None => OnNodes::default(),
    };
    for trouble in existing.iter().flat_map(|existing| &existing.troubles) {
        output.message(format!("warning: {trouble}"));
    }
    let titles = Titles { old: args.old.display().to_string(), new: args.new.display().to_string() };
    let view = DiffView { existing, ..DiffView::of(compared.as_ref(), nodes, args.breaking) };
    match (args.format, external::program()) {
        (DiffFormat::Json, _) => output.json(&view)?,
        (DiffFormat::Human, Some(program)) => external::run(&program, compared.as_ref(), &view)?,
        (DiffFormat::Human, None) => output.prose(human::render(&view, &titles))?,
        (DiffFormat::Markdown, _) => output.result(markdown::render(&view, &titles))?,
        (DiffFormat::Html, _) => output.result(html::render(&view, &titles))?,
    }
    let is_different = if args.breaking { view.breaking } else { !view.same };
    Ok(if is_different { ExitStatus::Findings } else { ExitStatus::Done })
}

/// Reads both sides at once. Where one cannot be used, what is wrong with each is said.
fn read(args: &Args, output: Output) -> Result<(Side, Side), Failure> {
    if args.old == Path::new("-") && args.new == Path::new("-") {
        return Err(Failure::new("both sides would be read from standard input, which can be read once")
            .help("write one of them to a file"));
    }
    let reader = Reader {
        rules: Rules::of(&args.rules).allowing(&args.allow_address),
        live: &args.live,
        node: args.node.as_deref(),
    };
    let mut sides = parallel::map(vec![&args.old, &args.new], |side| reader.read(side)).into_iter();
    let unread = || Err(Unusable::from(Failure::new("a side was not read")));
    let (old, new) = (sides.next().unwrap_or_else(unread), sides.next().unwrap_or_else(unread));
    let said = |argument: &Path, unusable: &Unusable| {
        output.message(format!("{} cannot be compared:", argument.display()));
        output.message(diagnostics::render(&unusable.reports, Detail::BESIDE, output.messages()));
    };
    match (old, new) {
        (Ok(old), Ok(new)) => Ok((old, new)),
        (Err(old), Ok(_)) => {
            said(&args.old, &old);
            Err(old.failure)
        }
        (Ok(_), Err(new)) => {
            said(&args.new, &new);
            Err(new.failure)
        }
        (Err(old), Err(new)) => {
            said(&args.old, &old);
            output.message(old.failure.render());
            said(&args.new, &new);
            Err(new.failure)
        }
    }
}

/// What changes on nodes.
#[derive(Default)]
struct OnNodes {
    nodes: Vec<(String, Vec<RowChange>)>,
    /// The connections that they concern, where the node is this one.
    existing: Option<ExistingView>,
}

/// The changes on each node, or on the one named; none where a node does the same. Where that one is this node, also
/// the connections that they concern.
fn compare_nodes(
    old: &Side,
    new: &Side,
    inventory: &Inventory,
    args: &Args,
    here: Option<&live::Args>,
) -> Result<OnNodes, Failure> {
    let profile = args.mode.profile();
    let same_image = match (old, new) {
        (Side::Image(old), Side::Image(new)) => old.digest() == new.digest(),
        _ => false,
    };
    let names: Vec<&str> = match &args.node {
        Some(node) => vec![node],
        None => inventory.nodes().map(|node| &*node.name).collect(),
    };
    let (old, new) = (old.linker(inventory), new.linker(inventory));
    let compared = parallel::map(names, |name| {
        if same_image && inventory.node(name).is_some() {
            return Ok((name, Vec::new(), None));
        }
        let (old, new) = (old.of(name)?, new.of(name)?);
        let existing = here.map(|here| live::existing(here, &old, &new));
        Ok((name, rows(&old, &new, profile), existing))
    });
    let mut found = OnNodes::default();
    for compared in compared {
        let (name, changes, concerned) =
            compared.map_err(|error: LinkError| link::unknown_node(&error, inventory))?;
        found.nodes.push((name.to_owned(), changes));
        found.existing = concerned.or(found.existing);
    }
    Ok(found)
}
