//! `lrpc apply`: links an image and swaps this node to it, as one transaction.

use clap::ValueEnum;
use ipnet::IpNet;
use lrpc_linker::{Linked, MapSet};
use lrpc_loader::node::{
    Applied, ApplyOptions, Changes, Check, Error, Existing, ExistingCount, Expect, Node, NodeNetns, Preview,
    Verdict,
};
use lrpc_loader::resolve::Conduct;
use lrpc_schema::image::Image;
use serde::Serialize;

use super::arguments::{ExistingArgs, NodeDirsArgs};
use super::{here, instance};
use crate::arguments::{InventoryArgs, ModeArgs, SetArgs};
use crate::commands::diff::OfNode;
use crate::commands::link;
use crate::exit::{ExitStatus, Failure, Outcome};
use crate::inventory;
use crate::output::{Format, Output, Text};
use crate::report::json::{self, DiagnosticView};
use crate::report::{self, Report, brief};
use crate::set;

/// Link an image and swap this node to it, as one transaction
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc apply policies.lrpc --inventory cluster.yaml --node worker-1")]
pub(crate) struct Args {
    #[command(flatten)]
    set: SetArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    /// This node, by its name in the inventory
    #[arg(long, value_name = "N")]
    node: String,

    #[command(flatten)]
    mode: ModeArgs,

    #[command(flatten)]
    existing: ExistingArgs,

    /// Go on only if this linked digest is active, or `none`
    #[arg(long, value_name = "DIGEST")]
    expect: Option<Expect>,

    /// How many generations stay resident, the active one included; fixed at the first load [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    keep: Option<u16>,

    /// Count what would be redirected or refused, and touch no connection
    #[arg(long)]
    audit: bool,

    /// Which network namespace is the node's own, for `lrpc.dev/clients: pods`
    #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
    node_netns: NodeNetnsArg,

    /// Narrow the addresses that the image allows to these (repeatable)
    #[arg(long, value_name = "CIDR")]
    allow_address: Vec<IpNet>,

    /// Say what would change for connections, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// With --dry-run: print the steps too
    #[arg(long, requires = "dry_run")]
    verbose: bool,

    /// End with 1, and change nothing, where there is any finding
    #[arg(long)]
    deny_warnings: bool,

    #[command(flatten)]
    dirs: NodeDirsArgs,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum NodeNetnsArg {
    /// The kernel's initial one
    #[default]
    Initial,
    /// The one that lrpc runs in: of a node that is a container itself
    #[value(name = "self")]
    Own,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    if args.audit && args.existing.existing() == Existing::Close {
        let failure = Failure::new("`--audit` touches no connection, and `--existing close` closes some");
        return Err(failure.help("leave one of the two out"));
    }
    let image = set::require(&args.set, output)?;
    let given = inventory::require(&args.inventory.inventory)?;
    let Linked { map_set, findings } = link::link(&image, &given.inventory, &args.node, &args.allow_address)?;
    let node = instance::open(&args.dirs);
    let options = args.options();

    // For people the findings are counted, and no place is shown.
    let places = match args.format {
        Format::Json => image.places(),
        Format::Human => None,
    };
    let mut reports = link::reports(&given, findings, places);
    reports.extend(given.inventory.node(&args.node).and_then(here::check));
    if args.dry_run || args.deny_warnings {
        let preview = node.preview(&map_set, &options).map_err(instance::failure)?;
        if args.deny_warnings && !reports.is_empty() {
            return deny(&reports, args.format, output);
        }
        if args.dry_run {
            return dry_run(&node, &preview, &reports, &image, map_set, args, output);
        }
    }
    // What grows with the set is made before the flip: what comes after it must not want for memory.
    let found = Found::of(&reports, args.format);
    let applied = node.apply(&image, &map_set, &options, &mut |_| {}).map_err(instance::failure)?;
    instance::done("the set is loaded", print(&applied, found, args.format, output), output)
}

impl Args {
    fn options(&self) -> ApplyOptions {
        ApplyOptions {
            node: self.node.clone(),
            mode: self.mode.mode(),
            existing: self.existing.existing(),
            expect: self.expect,
            keep: self.keep,
            conduct: if self.audit { Conduct::Audit } else { Conduct::Act },
            node_netns: match self.node_netns {
                NodeNetnsArg::Initial => NodeNetns::Initial,
                NodeNetnsArg::Own => NodeNetns::Own,
            },
        }
    }
}

#[derive(Serialize)]
struct AppliedView<'a> {
    #[serde(flatten)]
    applied: &'a Applied,
    diagnostics: Vec<DiagnosticView<'a>>,
}

/// Findings as they are to be printed.
#[derive(Default)]
pub(crate) struct Found<'a> {
    views: Vec<DiagnosticView<'a>>,
    brief: Text,
}

impl<'a> Found<'a> {
    fn of(reports: &'a [Report], format: Format) -> Self {
        match format {
            Format::Json => Self { views: json::views(reports), brief: Text::default() },
            Format::Human => Self { views: Vec::new(), brief: brief::render(reports) },
        }
    }
}

/// Prints what an apply or a rollback did. What failed after the flip is said, and changes no exit code: the
/// generation is active.
pub(crate) fn print(
    applied: &Applied,
    found: Found<'_>,
    format: Format,
    output: Output,
) -> Result<(), Failure> {
    let done = if applied.changed { "the swap is done" } else { "nothing had to be swapped" };
    instance::tell_troubles(done, &applied.troubles, output);
    match format {
        Format::Json => output.json(&AppliedView { applied, diagnostics: found.views }),
        Format::Human => {
            output.message(found.brief);
            let what = match (applied.changed, applied.previous) {
                (false, _) => "unchanged\n".to_owned(),
                (true, None) => "loaded\n".to_owned(),
                (true, Some(previous)) => format!("swapped from generation {previous}\n"),
            };
            let summary = applied.frontends_changed.filter(|_| applied.changed).map(summary);
            let existing = became(applied.existing);
            output.prose(what + &instance::render(&applied.status) + &summary.unwrap_or_default() + &existing)
        }
    }
}

/// What changed for connections, in a line.
fn summary(Changes { added, removed, changed }: Changes) -> String {
    match (added, removed, changed) {
        (0, 0, 0) => "no frontend is treated differently\n".to_owned(),
        (1, ..) => format!("1 frontend added, {removed} removed, {changed} changed\n"),
        _ => format!("{added} frontends added, {removed} removed, {changed} changed\n"),
    }
}

/// What became of existing connections, in a line; nothing where none was concerned or looked at.
fn became(ExistingCount { kept, closed }: ExistingCount) -> String {
    match (kept, closed) {
        (0, 0) => String::new(),
        (0, closed) => format!("{} closed\n", connections(closed)),
        (kept, closed) => format!("{} closed, {kept} could not be\n", connections(closed)),
    }
}

/// What would become of them.
fn would_become(ExistingCount { kept, closed }: ExistingCount) -> String {
    match (kept, closed) {
        (0, 0) => String::new(),
        (0, closed) => format!("{} would be closed\n", connections(closed)),
        (kept, _) => {
            format!("{} would stay as they are (`--existing close` closes them)\n", connections(kept))
        }
    }
}

/// `1 existing connection`, `2 existing connections`.
fn connections(count: u64) -> String {
    format!("{count} existing connection{}", if count == 1 { "" } else { "s" })
}

#[derive(Serialize)]
struct DeniedView<'a> {
    changed: bool,
    diagnostics: Vec<DiagnosticView<'a>>,
}

fn deny(reports: &[Report], format: Format, output: Output) -> Outcome {
    match format {
        Format::Json => output.json(&DeniedView { changed: false, diagnostics: json::views(reports) })?,
        Format::Human => output.message(brief::render(reports)),
    }
    let refusal = format!("nothing was changed: --deny-warnings, and there are {}", report::summary(reports));
    Err(Failure::new(refusal).status(ExitStatus::Findings))
}

#[derive(Serialize)]
struct DryRunView<'a, N> {
    node: &'a str,
    image: String,
    digest: String,
    steps: Vec<String>,
    nodes: &'a N,
    existing: ExistingCount,
    diagnostics: Vec<DiagnosticView<'a>>,
    troubles: Vec<String>,
}

/// Says what an apply would do, once it is known that it has the rights to.
fn dry_run(
    node: &Node,
    preview: &Preview,
    reports: &[Report],
    image: &Image,
    map_set: MapSet,
    args: &Args,
    output: Output,
) -> Outcome {
    let missing: Vec<Check> =
        node.rights().into_iter().filter(|check| check.verdict == Verdict::Fail).collect();
    if let Some(check) = missing.first() {
        let names: Vec<_> = missing.iter().map(|check| check.name).collect();
        let failure = Failure::new(format!("apply could not run here: {} is missing", names.join(", ")));
        return Err(match &check.fix {
            Some(fix) => failure.help(fix),
            None => failure,
        });
    }
    let live = match node.dump() {
        Ok(dump) => dump.frontends,
        Err(Error::NothingLoaded) => Vec::new(),
        Err(error) => return Err(instance::failure(error)),
    };
    let digest = map_set.digest().to_string();
    let changes = OfNode::between(&args.node, live, map_set, args.mode.profile());
    instance::tell_troubles("nothing was changed", &preview.troubles, output);
    let steps: Vec<String> = preview.steps.iter().map(ToString::to_string).collect();
    match args.format {
        Format::Json => output.json(&DryRunView {
            node: &args.node,
            image: image.digest().to_string(),
            digest,
            steps,
            nodes: changes.nodes(),
            existing: preview.existing,
            diagnostics: json::views(reports),
            troubles: preview.troubles.iter().map(Error::with_causes).collect(),
        })?,
        Format::Human => {
            output.message(brief::render(reports));
            match steps.is_empty() {
                true => output.result("nothing would change")?,
                false => output.prose(changes.render(&args.node))?,
            }
            output.prose(would_become(preview.existing))?;
            if args.verbose {
                output.prose(steps.join("\n"))?;
            }
        }
    }
    Ok(ExitStatus::Done)
}
