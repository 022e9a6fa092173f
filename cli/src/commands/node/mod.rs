//! The commands that need a kernel: they load, look at and empty what lrpc has on this node. Linux only.

mod apply;
mod arguments;
mod counters;
mod doctor;
mod dump;
mod duration;
mod here;
mod history;
mod instance;
mod monitor;
mod origin;
mod rollback;
mod status;
mod unload;
mod verify;

use clap::Subcommand;

pub(crate) use self::arguments::NodeDirsArgs;
pub(crate) use self::instance::{failure, open};
use crate::exit::Outcome;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Doctor(doctor::Args),
    Apply(apply::Args),
    Status(status::Args),
    Dump(dump::Args),
    Monitor(monitor::Args),
    Origin(origin::Args),
    Verify(verify::Args),
    History(history::Args),
    Rollback(rollback::Args),
    Unload(unload::Args),
}

impl Command {
    pub(crate) fn run(self, output: Output) -> Outcome {
        match self {
            Self::Doctor(args) => doctor::run(&args, output),
            Self::Apply(args) => apply::run(&args, output),
            Self::Status(args) => status::run(&args, output),
            Self::Dump(args) => dump::run(&args, output),
            Self::Monitor(args) => monitor::run(&args, output),
            Self::Origin(args) => origin::run(&args, output),
            Self::Verify(args) => verify::run(&args, output),
            Self::History(args) => history::run(&args, output),
            Self::Rollback(args) => rollback::run(&args, output),
            Self::Unload(args) => unload::run(&args, output),
        }
    }
}
