//! `lrpc inspect`: what is in an image.

use std::fmt::Write as _;

use lrpc_schema::image::{FORMAT, Image};
use serde::Serialize;

use crate::arguments::SetArgs;
use crate::commands::policy::{PolicyView, shown_ports};
use crate::exit::{ExitStatus, Outcome};
use crate::output::{Format, Output};
use crate::set;

/// Show what is in an image
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc inspect policies.lrpc --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    set: SetArgs,

    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let image = set::require(&args.set, output)?;
    match args.format {
        Format::Json => output.json(&Inspection::of(&image))?,
        Format::Human => output.prose(render(&Inspection::of(&image)))?,
    }
    Ok(ExitStatus::Done)
}

#[derive(Serialize)]
struct Inspection {
    format: u32,
    digest: String,
    stripped: bool,
    allowed_addresses: Option<Vec<String>>,
    policies: Vec<PolicyView>,
}

impl Inspection {
    fn of(image: &Image) -> Self {
        Self {
            format: FORMAT,
            digest: image.digest().to_string(),
            stripped: image.places().is_none(),
            allowed_addresses: image
                .allowed_addresses()
                .map(|list| list.iter().map(ToString::to_string).collect()),
            policies: image.policies().iter().map(|policy| PolicyView::of(policy, image)).collect(),
        }
    }
}

fn render(inspection: &Inspection) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail, here and below.
    let _ = writeln!(text, "format   {}", inspection.format);
    let _ = writeln!(text, "digest   {}", inspection.digest);
    let _ = writeln!(text, "places   {}", if inspection.stripped { "stripped" } else { "kept" });
    if let Some(list) = &inspection.allowed_addresses {
        let list = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        let _ = writeln!(text, "allowed  {list}");
    }
    for policy in &inspection.policies {
        let _ = write!(text, "\n{}", render_policy(policy));
    }
    text
}

fn render_policy(policy: &PolicyView) -> String {
    let mut text = format!("{} ({})", policy.policy, policy.kind);
    if let Some(at) = &policy.at {
        let _ = write!(text, "  {at}");
    }
    let PolicyView { frontend, backend, .. } = policy;
    let target = frontend.address.as_deref().or(frontend.service.as_deref()).unwrap_or_default();
    let what = if frontend.address.is_some() { "address" } else { "service" };
    let _ = write!(text, "\n  from  {what} {target} {}", shown_ports(&frontend.ports));
    let selector = if backend.selector.is_empty() { "every pod" } else { &backend.selector };
    let _ = write!(text, "\n  to    pods {selector} {}", shown_ports(&backend.ports));
    if let Some(address) = &backend.address {
        let _ = write!(text, " at {address}");
    }
    let mut settings = Vec::new();
    if policy.skip {
        settings.push("backends' own traffic left alone".to_owned());
    }
    if policy.fallback != "original" {
        settings.push(format!("fallback {}", policy.fallback));
    }
    if policy.clients != "all" {
        settings.push(format!("clients {}", policy.clients));
    }
    if let Some(nodes) = &policy.nodes {
        settings.push(format!("nodes {nodes}"));
    }
    if policy.shadow_service {
        settings.push("may shadow a Service".to_owned());
    }
    if !settings.is_empty() {
        let _ = write!(text, "\n  with  {}", settings.join("; "));
    }
    text.push('\n');
    text
}
