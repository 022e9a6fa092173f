//! Arguments that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use lrpc_linker::profile::{Mode, Profile};
use lrpc_schema::image::name::is_dns_label;

/// Which manifests to read, and with which rules.
#[derive(Debug, Args)]
pub(crate) struct ManifestArgs {
    /// Policy manifests: files, folders (searched for *.yaml, *.yml and *.json), or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RulesArgs,

    /// Allow address policies only for these addresses; replaces the list in lrpc.toml (repeatable)
    #[arg(long, value_name = "CIDR")]
    pub(crate) allow_address: Vec<IpNet>,

    /// Treat documents of other kinds as errors instead of ignoring them
    #[arg(long)]
    pub(crate) strict_kinds: bool,
}

/// The rules for manifests, for every command that reads some.
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// Namespace of manifests that name none
    #[arg(long, value_name = "NS", value_parser = namespace)]
    pub(crate) namespace: Option<String>,

    /// Settings to use instead of the nearest lrpc.toml upwards from the working directory
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Accept input without any policy
    #[arg(long)]
    pub(crate) allow_empty: bool,
}

/// The policies of a command that takes one set of them.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The policies: an image, manifests (a file, a folder, or - for standard input), or a revision of a local
    /// git repository as DIR.git#branch=NAME,subdir=FOLDER
    #[arg(value_name = "SET")]
    pub(crate) set: PathBuf,

    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

/// What runs in the cluster.
#[derive(Debug, Args)]
pub(crate) struct InventoryArgs {
    /// What `kubectl get pods,services,nodes,namespaces -A -o yaml` (or json) printed: file or folder (repeatable)
    #[arg(long = "inventory", value_name = "PATH")]
    pub(crate) inventory: Vec<PathBuf>,
}

/// What a node's data path carries.
#[derive(Debug, Args)]
pub(crate) struct ModeArgs {
    /// The node's install mode; `apply` loads full and socket
    #[arg(long, value_enum, default_value_t, value_name = "MODE")]
    mode: ModeArg,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ModeArg {
    /// Socket hooks, for pods and host processes
    #[default]
    Full,
    /// Socket hooks for host processes, per packet for pods
    HostOnly,
    /// As full, beside kube-proxy
    Socket,
    /// Per packet, for pods only
    PodsOnly,
}

impl ModeArgs {
    /// The install mode (L17).
    pub(crate) fn mode(&self) -> Mode {
        match self.mode {
            ModeArg::Full => Mode::Full,
            ModeArg::HostOnly => Mode::HostOnly,
            ModeArg::Socket => Mode::Socket,
            ModeArg::PodsOnly => Mode::PodsOnly,
        }
    }

    /// What a node in this mode carries.
    pub(crate) fn profile(&self) -> Profile {
        Profile::new(self.mode())
    }
}

/// The name of a namespace: what an image holds is what Kubernetes allows.
fn namespace(text: &str) -> Result<String, String> {
    match is_dns_label(text) {
        true => Ok(text.to_owned()),
        false => {
            Err("use at most 63 lower-case letters, digits and `-`, with a letter or digit at each end"
                .into())
        }
    }
}
