//! `lrpc monitor`: decisions as they are made.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use lrpc_loader::node::{End, Next, Told};
use serde::Serialize;

use super::arguments::NodeArgs;
use super::origin::whose;
use super::{duration, instance};
use crate::exit::{ExitStatus, Failure, Outcome};
use crate::output::{Format, Output, Style, Text, counted};

/// Show each decision about a connect or datagram as it is made
///
/// Only frontends are decided about. While nobody monitors, nothing is written for it; one monitor runs at a time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lrpc monitor --duration 1m --format json")]
pub(crate) struct Args {
    /// End after this many decisions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// End after this time, as in 30s or 1m30s
    #[arg(long, value_name = "D", value_parser = duration::parse)]
    duration: Option<Duration>,

    #[command(flatten)]
    node: NodeArgs,
}

/// The last line of the JSON.
#[derive(Serialize)]
struct Summary {
    /// Why it ended: `count`, `duration`, `signal` or `unloaded`.
    end: &'static str,
    /// How many decisions were told.
    decisions: u64,
    /// How many could not be.
    lost: u64,
}

pub(crate) fn run(args: &Args, output: Output) -> Outcome {
    let until = args.duration.and_then(|duration| Instant::now().checked_add(duration));
    let node = instance::open(&args.node.dirs);
    let mut monitor = node.monitor().map_err(instance::failure)?;
    output.note("decisions are told from here on");
    let mut decisions = 0;
    let end = loop {
        if args.count == Some(decisions) {
            break "count";
        }
        match monitor.next(until).map_err(instance::failure)? {
            Next::Told(told) => {
                decisions += 1;
                if show(&told, args.node.format, output)?.is_break() {
                    return Ok(ExitStatus::Done);
                }
            }
            Next::End(End::Time) => break "duration",
            Next::End(End::Signal) => break "signal",
            Next::End(End::Unloaded) => break "unloaded",
        }
    };
    let lost = monitor.lost().map_err(instance::failure)?;
    match args.node.format {
        Format::Json => drop(output.json_line(&Summary { end, decisions, lost })?),
        Format::Human => {
            let why = if end == "unloaded" { "nothing is loaded any more; " } else { "" };
            let shown = usize::try_from(decisions).unwrap_or(usize::MAX);
            output.note(format!("{why}{}", counted(shown, "decision", "decisions")));
            if lost > 0 {
                output.message(format!(
                    "warning: {lost} more could not be told: they came faster than they were read"
                ));
            }
        }
    }
    Ok(ExitStatus::Done)
}

fn show(told: &Told, format: Format, output: Output) -> Result<ControlFlow<()>, Failure> {
    match format {
        Format::Json => output.json_line(told),
        Format::Human => output.line(line(told)),
    }
}

fn line(told: &Told) -> Text {
    let style = match told.decision {
        "redirected" => Style::Good,
        "dropped" => Style::Bad,
        _ => Style::Changed,
    };
    let mut text = Text::from(format!("{}  ", told.time));
    text.paint(style, told.decision).push(if told.audit { " (audit)  " } else { "  " }).push(&told.frontend);
    if let Some(backend) = told.backend {
        text.push(&format!(" -> {backend}"));
    }
    if let Some(policy) = &told.policy {
        text.push(&format!("  policy {policy}"));
    }
    text.push(&format!("  {}  process {}\n", whose(&told.by), told.process));
    text
}

#[cfg(test)]
mod tests {
    use lrpc_loader::node::Owner;

    use super::*;

    #[test]
    fn a_line_says_who_went_where_and_by_whose_wish() {
        let by = Owner {
            cgroup: Some("/sys/fs/cgroup/kubepods/podx".to_owned()),
            pod_uid: Some("x".to_owned()),
            pod: Some("default/web".to_owned()),
        };
        let told = Told {
            time: "2026-11-23T12:00:00.000001Z".to_owned(),
            decision: "redirected",
            audit: false,
            frontend: "169.254.169.254:80/TCP".to_owned(),
            policy: Some("default/metadata".to_owned()),
            backend: Some("10.244.1.7:8181".parse().unwrap()),
            process: 7,
            by: by.clone(),
            lost: 0,
        };
        let mut said = String::new();
        for text in [
            line(&told),
            line(&Told {
                audit: true,
                policy: None,
                backend: None,
                by: Owner { pod: None, ..by.clone() },
                ..told.clone()
            }),
            line(&Told { by: Owner { pod: None, pod_uid: None, ..by }, decision: "no-client", ..told }),
        ] {
            let mut bytes = Vec::new();
            text.leave(&mut bytes, false).unwrap();
            said.push_str(&String::from_utf8(bytes).unwrap());
        }
        assert_eq!(
            said,
            "2026-11-23T12:00:00.000001Z  redirected  169.254.169.254:80/TCP -> 10.244.1.7:8181  \
             policy default/metadata  pod default/web  process 7\n\
             2026-11-23T12:00:00.000001Z  redirected (audit)  169.254.169.254:80/TCP  pod with UID x  process 7\n\
             2026-11-23T12:00:00.000001Z  no-client  169.254.169.254:80/TCP -> 10.244.1.7:8181  \
             policy default/metadata  cgroup /sys/fs/cgroup/kubepods/podx  process 7\n"
        );
    }
}
