//! The commands, in the order in which a rollout uses them.

mod check;
mod compile;
mod completions;
mod diff;
mod explain;
mod inspect;
mod link;
mod man;
#[cfg(target_os = "linux")]
mod node;
mod policy;
mod row;
mod schema;
mod test;
mod trace;

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
    Test(test::Args),
    Diff(diff::Args),
    /// What needs a kernel, which is Linux's.
    #[cfg(target_os = "linux")]
    #[command(flatten)]
    Node(node::Command),
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
            Self::Test(args) => test::run(&args, output),
            Self::Diff(args) => diff::run(&args, output),
            #[cfg(target_os = "linux")]
            Self::Node(command) => command.run(output),
            Self::Schema(args) => schema::run(&args, output),
            Self::Completions(args) => completions::run(&args, output),
            Self::Man(args) => man::run(&args),
        }
    }
}
