//! What the node commands share: the node's directories, its errors, and the status that most of them print.

use std::error::Error as _;
use std::fmt::Write as _;

use lrpc_loader::node::{Difference, Error, Node, NodeDirs, Status, Where};

use super::arguments::NodeDirsArgs;
use crate::exit::{ExitStatus, Failure, Outcome};
use crate::output::Output;

/// The instance that the directories name.
pub(crate) fn open(dirs: &NodeDirsArgs) -> Node {
    Node::new(NodeDirs { cgroup: dirs.cgroup.clone(), bpffs: dirs.bpffs.clone(), state: dirs.state.clone() })
}

/// An error of the loader with its causes and its remedy.
pub(crate) fn failure(error: Error) -> Failure {
    let mut failure = Failure::new(error.to_string());
    if let Some(source) = error.source() {
        failure = failure.because(source);
    }
    if let Some(remedy) = error.remedy() {
        failure = failure.help(remedy);
    }
    if matches!(error, Error::Expectation { .. }) { failure.status(ExitStatus::Findings) } else { failure }
}

/// After a change of the node, a result that cannot be printed is said and changes no exit code: `what` is true.
pub(crate) fn done(what: &str, printed: Result<(), Failure>, output: Output) -> Outcome {
    if let Err(failure) = printed {
        let reasons = failure.reasons();
        output.message(format!("warning: {what}, and the result could not be printed{reasons}"));
    }
    Ok(ExitStatus::Done)
}

/// Says what failed after a command's effect was there; it changes no exit code.
pub(crate) fn tell_troubles(done: &str, troubles: &[Error], output: Output) {
    for trouble in troubles {
        output.message(format!("warning: {done}, but {}", trouble.with_causes()));
        if let Some(remedy) = trouble.remedy() {
            output.message(format!("  help: {remedy}"));
        }
    }
}

/// The status in words.
pub(crate) fn render(status: &Status) -> String {
    let mut text = String::new();
    match &status.active {
        None => text.push_str("nothing is loaded\n"),
        Some(active) => {
            let resident: Vec<String> = active.resident.iter().map(ToString::to_string).collect();
            // Writing to a `String` cannot fail, here and below.
            let _ = writeln!(text, "generation  {} (resident: {})", active.generation, resident.join(", "));
            let _ = writeln!(text, "image       {}", active.image);
            let _ = writeln!(text, "linked      {}", active.digest);
            let _ = writeln!(text, "node        {}", active.node);
            let _ = writeln!(text, "mode        {}", active.mode);
            let _ = writeln!(text, "frontends   {}", active.frontends);
            let _ = writeln!(text, "backends    {}", active.backends);
            if active.is_audit {
                text.push_str("audit       counts what it would redirect or refuse, and touches nothing\n");
            }
            let _ = writeln!(text, "hooks       {}", active.hooks.join(", "));
            let _ = writeln!(text, "applied at  {}", active.applied_at);
        }
    }
    text + &render_gone(&status.gone_pods) + &render_differences(&status.differences)
}

/// A line for the pods that are gone.
pub(crate) fn render_gone(pods: &[String]) -> String {
    match pods {
        [] => String::new(),
        pods => format!("gone        {}: link and apply again\n", pods.join(", ")),
    }
}

/// One line for each difference.
pub(crate) fn render_differences(differences: &[Difference]) -> String {
    let line = |difference: &Difference| {
        let Difference { name, expected, found, .. } = difference;
        let place = match difference.place {
            Where::Map => "map",
            Where::Program => "program",
            Where::Link => "link",
            Where::Cell => "cell",
        };
        format!("differs: {place} {name}: expected {expected}, found {found}\n")
    };
    differences.iter().map(line).collect()
}
