//! The commands, in the order in which a rollout uses them.

mod check;
mod compile;
mod explain;
pub(crate) mod image;
mod inspect;
mod link;
mod row;

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
}

impl Command {
    pub(crate) fn run(self, output: Output) -> Outcome {
        match self {
            Self::Check(args) => check::run(&args, output),
            Self::Compile(args) => compile::run(&args, output),
            Self::Explain(args) => explain::run(&args, output),
            Self::Inspect(args) => inspect::run(&args, output),
            Self::Link(args) => link::run(&args, output),
        }
    }
}
