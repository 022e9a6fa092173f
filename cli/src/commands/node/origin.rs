//! `lrpc origin`: who stands behind a connection that a backend has accepted.

use std::net::SocketAddr;

use lrpc_loader::node::{Origin, Owner};

use super::arguments::NodeArgs;
use super::instance;
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output};

/// Show which pod and which original destination stand behind a connection
///
/// It finds connected sockets of this node, TCP and UDP, in every network namespace of processes below --cgroup. A
/// client whose address is translated on the way (masquerade) is seen by the backend as somebody else.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc origin 10.244.1.5:41234")]
pub(crate) struct Args {
    /// The client's end, as the backend sees it: what accept(2) and getpeername(2) say there
    #[arg(value_name = "ADDR:PORT")]
    client: SocketAddr,

    #[command(flatten)]
    node: NodeArgs,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let found = instance::open(&args.node.dirs).origin(args.client).map_err(instance::failure)?;
    instance::tell_troubles("this is what could be seen", &found.troubles, output);
    match args.node.format {
        Format::Json => output.json(&found)?,
        Format::Human if found.origins.is_empty() => {
            output.note(format!("no connected socket of this node is at {}", args.client));
        }
        Format::Human => output.prose(found.origins.iter().map(line).collect::<String>())?,
    }
    Ok(if found.origins.is_empty() { ExitStatus::Findings } else { ExitStatus::Done })
}

fn line(origin: &Origin) -> String {
    let Origin { protocol, client, backend, frontend, policy, by } = origin;
    let asked = match (frontend, policy) {
        (Some(frontend), Some(policy)) => format!("asked for {frontend} (policy {policy}) and got {backend}"),
        (Some(frontend), None) => format!("asked for {frontend} and got {backend}"),
        (None, _) => format!("asked for {backend} itself"),
    };
    format!("{protocol} {client}  {}  {asked}\n", whose(by))
}

/// Whose something is, in a word.
pub(super) fn whose(by: &Owner) -> String {
    match by {
        Owner { pod: Some(pod), .. } => format!("pod {pod}"),
        Owner { pod_uid: Some(uid), .. } => format!("pod with UID {uid}"),
        Owner { cgroup: Some(cgroup), .. } => format!("cgroup {cgroup}"),
        Owner { cgroup: None, .. } => "cgroup unknown".to_owned(),
    }
}
