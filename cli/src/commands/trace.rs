//! `lrpc trace`: what happens to one connection, and why.

use std::fmt::Write as _;
use std::net::SocketAddr;

use ipnet::IpNet;
use lrpc_linker::flow::Flow;
use lrpc_linker::mapset::ShownBackend;
use lrpc_linker::mapset::{Row, State};
use lrpc_linker::profile::{Gap, Profile};
use lrpc_linker::trace::{Trace, trace};
use lrpc_schema::image::Image;
use serde::Serialize;

use crate::arguments::{InventoryArgs, ModeArgs, SetArgs};
use crate::commands::link;
use crate::exit::{ExitStatus, Failure, Outcome};
use crate::inventory;
use crate::output::{Format, Output};
use crate::set;

/// Show what happens to one connection of a node, and which rules decide
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc trace policies.lrpc --inventory cluster.yaml --node worker-1 \
                  'tcp from default/web-1 to 169.254.169.254:80'")]
pub(crate) struct Args {
    #[command(flatten)]
    set: SetArgs,

    /// The connection: tcp or udp, from NAMESPACE/POD, host or an address of the inventory, to ADDRESS:PORT
    #[arg(value_name = "FLOW")]
    flow: String,

    #[command(flatten)]
    inventory: InventoryArgs,

    /// The node on which the connection is opened, by its name in the inventory
    #[arg(long, value_name = "N")]
    node: String,

    #[command(flatten)]
    mode: ModeArgs,

    /// Narrow the addresses that the image allows to these (repeatable)
    #[arg(long, value_name = "CIDR")]
    allow_address: Vec<IpNet>,

    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The answer for one connection, in the shape that scripts hold on to.
#[derive(Serialize)]
pub(crate) struct TraceView {
    decision: &'static str,
    policy: Option<String>,
    frontend: Option<String>,
    backends: Vec<ShownBackend>,
    reason: Option<&'static str>,
    rules: Vec<&'static str>,
    at: Option<String>,
    left_out: Option<Gap>,
}

/// Ends with 1 where the connection is refused.
pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let flow: Flow = args.flow.parse().map_err(|error| {
        Failure::new(format!("`{}` is not a flow", args.flow)).because(&error).help(
            "write it as `tcp from NAMESPACE/POD to 169.254.169.254:80` or `udp from host to [fd00::1]:53`; a Service \
             by its address, which `lrpc link` shows",
        )
    })?;
    let image = set::require(&args.set, output)?;
    let inventory = inventory::require(&args.inventory.inventory)?.warn(output);
    let linked = link::link(&image, &inventory, &args.node, &args.allow_address)?;
    let trace = trace(&image, &inventory, &args.node, &linked.map_set, &flow)
        .map_err(|error| Failure::new(error.to_string()).help(error.help()))?;
    let view = TraceView::of(&trace, &image, args.mode.profile());
    match args.format {
        Format::Json => output.json(&view)?,
        Format::Human => output.prose(render(&view, &trace, &flow, &args.node))?,
    }
    Ok(match trace.state() {
        State::Drop => ExitStatus::Findings,
        State::Redirect | State::Original => ExitStatus::Done,
    })
}

impl TraceView {
    pub(crate) fn of(trace: &Trace<'_>, image: &Image, profile: Profile) -> Self {
        let decides = trace.row.filter(|_| trace.state() != State::Original);
        let place = |row: &Row| image.places()?.policy(&row.policy);
        Self {
            decision: trace.state().as_str(),
            policy: trace.row.map(|row| row.policy.to_string()),
            frontend: trace.row.map(|row| row.frontend.to_string()),
            backends: trace.backends().iter().map(ShownBackend::from).collect(),
            reason: trace.reason().map(|reason| reason.as_str()),
            rules: trace.steps.iter().map(|step| step.rule.as_str()).collect(),
            at: trace.row.and_then(place).map(|place| format!("{}:{}", place.file, place.line)),
            left_out: decides.and_then(|row| profile.left_out(row)),
        }
    }
}

/// The answer in words.
pub(crate) fn render(view: &TraceView, trace: &Trace<'_>, flow: &Flow, node: &str) -> String {
    let meaning = match trace.state() {
        State::Redirect if view.backends.len() > 1 => "it goes to one of the backends",
        State::Redirect => "it goes to the backend",
        State::Original => "it goes where it would have gone",
        State::Drop => "it is refused",
    };
    let mut text = format!("{flow} on node {node}\n  decision  {}, {meaning}", view.decision);
    if let Some(reason) = view.reason {
        // Writing to a `String` cannot fail, here and below.
        let _ = write!(text, " ({reason})");
    }
    if let (Some(frontend), Some(policy)) = (&view.frontend, &view.policy) {
        let _ = write!(text, "\n  frontend  {frontend}\n  policy    {policy}");
        if let Some(at) = &view.at {
            let _ = write!(text, "  {at}");
        }
    }
    for step in &trace.steps {
        let _ = write!(text, "\n  {:<8}  {}", step.rule.as_str(), step.why);
    }
    for backend in &view.backends {
        let _ = write!(text, "\n  backend   {}", SocketAddr::new(backend.address, backend.port));
        if let Some(pods) = &backend.pods {
            let _ = write!(text, "  {}", pods.join(", "));
        }
    }
    if let Some(gap) = view.left_out {
        let _ = write!(
            text,
            "\n  left out  `apply` does not load {gap}: the connection goes where it would have gone"
        );
    }
    text.push('\n');
    text
}
