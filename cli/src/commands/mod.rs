//! The commands, in the order in which a rollout uses them.

mod apply;
mod check;
mod compile;
mod completions;
mod diff;
mod doctor;
mod dump;
mod explain;
mod history;
mod inspect;
mod link;
mod man;
mod node;
mod policy;
mod rollback;
mod row;
mod schema;
mod status;
mod trace;
mod unload;
mod verify;

use clap::Subcommand;

use crate::exit::Outcome;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(check::Args),
    Compile(compile::Args),
    Explain(explain::Args),
    Inspect(inspect::Args),
    Link(link::Args),
    Trace(trace::Args),
    Diff(diff::Args),
    Doctor(doctor::Args),
    Apply(apply::Args),
    Status(status::Args),
    Dump(dump::Args),
    Verify(verify::Args),
    History(history::Args),
    Rollback(rollback::Args),
    Unload(unload::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    pub(crate) fn run(self, output: Output) -> Outcome {
        match self {
            Self::Check(args) => check::run(&args, output),
            Self::Compile(args) => compile::run(&args, output),
            Self::Explain(args) => explain::run(&args, output),
            Self::Inspect(args) => inspect::run(&args, output),
            Self::Link(args) => link::run(&args, output),
            Self::Trace(args) => trace::run(&args, output),
            Self::Diff(args) => diff::run(&args, output),
            Self::Doctor(args) => doctor::run(&args, output),
            Self::Apply(args) => apply::run(&args, output),
            Self::Status(args) => status::run(&args, output),
            Self::Dump(args) => dump::run(&args, output),
            Self::Verify(args) => verify::run(&args, output),
            Self::History(args) => history::run(&args, output),
            Self::Rollback(args) => rollback::run(&args, output),
            Self::Unload(args) => unload::run(&args, output),
            Self::Schema(args) => schema::run(&args, output),
            Self::Completions(args) => completions::run(&args, output),
            Self::Man(args) => man::run(&args),
        }
    }
}
