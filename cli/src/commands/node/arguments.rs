//! Arguments that the node commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lrpc_loader::node::Existing;

use crate::output::Format;

/// Where a node keeps what lrpc loads. With all three set to scratch directories, a second instance is
/// fully apart from the node's own.
#[derive(Debug, Args)]
pub(crate) struct NodeDirsArgs {
    /// Cgroup v2 directory under which everything is redirected [default: the host's cgroup2 root]
    #[arg(long, value_name = "DIR", env = "LRPC_CGROUP", hide_env_values = true)]
    pub(crate) cgroup: Option<PathBuf>,

    /// Directory of lrpc alone in a bpffs, where maps, programs and links are pinned
    #[arg(
        long,
        value_name = "DIR",
        env = "LRPC_BPFFS",
        hide_env_values = true,
        default_value = "/sys/fs/bpf/lrpc"
    )]
    pub(crate) bpffs: PathBuf,

    /// Directory of lrpc alone for the history, the images and what was loaded
    #[arg(
        long,
        value_name = "DIR",
        env = "LRPC_STATE",
        hide_env_values = true,
        default_value = "/var/lib/lrpc"
    )]
    pub(crate) state: PathBuf,
}

/// What every command takes that only looks at a node or empties it.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    #[command(flatten)]
    pub(crate) dirs: NodeDirsArgs,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What becomes of connections that exist, where an apply or a rollback changes where they should go.
#[derive(Debug, Args)]
pub(crate) struct ExistingArgs {
    /// What becomes of connections that exist and that the change concerns
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    existing: ExistingArg,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ExistingArg {
    /// They stay where they are
    #[default]
    Keep,
    /// They are closed, so that clients connect again
    Close,
}

impl ExistingArgs {
    pub(crate) fn existing(&self) -> Existing {
        match self.existing {
            ExistingArg::Keep => Existing::Keep,
            ExistingArg::Close => Existing::Close,
        }
    }
}
