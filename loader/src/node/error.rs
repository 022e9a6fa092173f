//! Why a node command could not do its work: what is wrong, then what to do about it.

use std::path::PathBuf;

use lrpc_schema::image::Digest;
use lrpc_schema::records::{Generation, Hook};

use super::existing::Overlooked;
use crate::fs::FsError;
use crate::kernel::bpffs::MountError;
use crate::kernel::cgroup::NoCgroup;
use crate::kernel::hooks::Holder;
use crate::kernel::instance::InstanceError;
use crate::kernel::lock::{self, LockError};
use crate::kernel::object::LoadError;
use crate::kernel::pins::PinError;
use crate::kernel::shared::SharedError;
use crate::kernel::sys::SysError;
use crate::kernel::watch::WatchError;
use crate::record::{RecordError, RecordRefused};
use crate::resolve::Unidentified;
use crate::state::StateError;

/// Why a command did not do its work. [`remedy`](Self::remedy) says what to do; the causes are the error's sources.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that a later version does.
    #[error("`{0}` is not in this version")]
    NotInThisVersion(String),
    /// `--expect` names another state than the node's: a finding (exit 1), not a failure.
    #[error("the node is not in the expected state: expected {expected}, found {found}", expected = or_none(*.expected), found = or_none(*.found))]
    Expectation {
        /// The linked digest that was expected; `None` is "nothing loaded".
        expected: Option<Digest>,
        /// The active one.
        found: Option<Digest>,
    },
    /// Somebody cannot be told from others (L6, L8).
    #[error(transparent)]
    Unidentified(#[from] Unidentified),
    /// Another loader is at work.
    #[error("another lrpc is at work: {holder} has locked `{}`", .path.display())]
    Busy {
        /// The directory that it has locked.
        path: PathBuf,
        /// Who, as far as it is known.
        holder: lock::Holder,
    },
    /// Somebody else takes the decisions out of the ring.
    #[error("another monitor is at work: {0}")]
    Watched(lock::Holder),
    /// The directory of pins is of others, or others can write it.
    #[error(transparent)]
    Pins(FsError),
    /// A later version of lrpc made the directory of pins.
    #[error("`{}` was made by a later lrpc: it has layout {layout}", .path.display())]
    Later {
        /// The directory of pins.
        path: PathBuf,
        /// The number of its layout.
        layout: u32,
    },
    /// The directory of pins was removed, or its file system unmounted, while its lock was waited for.
    #[error("`{}` was removed meanwhile", .0.display())]
    Gone(PathBuf),
    /// No bpffs, and none could be mounted.
    #[error("no bpffs at `{}`", .mount_at.display())]
    NoBpffs {
        /// Where to mount one.
        mount_at: PathBuf,
        /// Why it could not be mounted.
        source: SysError,
    },
    /// No cgroup2 file system is mounted.
    #[error("no cgroup2 file system is mounted")]
    NoCgroup2,
    /// Only the tree of the container that this process runs in is mounted.
    #[error("`{}` shows this container's own cgroups, not the node's", .path.display())]
    ContainerView {
        /// Where that tree is mounted.
        path: PathBuf,
    },
    /// `--cgroup` is elsewhere.
    #[error("`{}` is not a cgroup2 directory", .path.display())]
    NotCgroup2 {
        /// The directory.
        path: PathBuf,
    },
    /// Another cgroup is redirected by what is loaded.
    #[error("loaded for cgroup `{loaded}`, not for `{wanted}`", wanted = .wanted.display())]
    OtherCgroup {
        /// The cgroup of the active generation.
        loaded: String,
        /// The one that was asked for.
        wanted: PathBuf,
    },
    /// A program on a hook suffers no other beside it.
    #[error("{sharing} program `{program}` holds hook `{hook}` of cgroup `{cgroup}`", sharing = .0.sharing, program = .0.program, hook = .0.hook, cgroup = .0.cgroup.display())]
    Held(Holder),
    /// Our program would run after others that may rewrite a Service's address.
    #[error("{programs} on hook `{hook}` of others would run before ours, and the image has service rows", programs = programs(*.others))]
    Behind {
        /// The hook.
        hook: Hook,
        /// How many there are.
        others: usize,
    },
    /// What is pinned was made by another version of the tables.
    #[error("`{bpffs}` holds tables of another version: {versions}", bpffs = .bpffs.display())]
    OtherVersion {
        /// The directory of pins.
        bpffs: PathBuf,
        /// The versions, as `vN`.
        versions: String,
    },
    /// A pinned map is not ours.
    #[error("the pinned map `{map}` is missing or not as this version makes it")]
    Shape {
        /// The map.
        map: String,
    },
    /// The number of resident generations is fixed at the first load.
    #[error("this node keeps {fixed} generations since its first load, not {wanted}")]
    Keep {
        /// What the first load said.
        fixed: u16,
        /// What was asked for.
        wanted: u16,
    },
    /// Every slot holds a generation.
    #[error("no empty slot for a new generation")]
    NoSlot,
    /// What was read back is not what was written.
    #[error("the tables read back differ from what was written: expected {expected}, found {found}")]
    ReadBack {
        /// The resolved digest.
        expected: Digest,
        /// The digest of what the kernel holds.
        found: Digest,
    },
    /// Nothing is loaded.
    #[error("nothing is loaded")]
    NothingLoaded,
    /// The cell names a generation whose maps are not pinned.
    #[error("generation {0} is active, but its maps are not pinned")]
    NotResident(Generation),
    /// No such generation.
    #[error("generation {generation} is not resident; resident: {}", listed(.resident))]
    NoSuchGeneration {
        /// The generation.
        generation: Generation,
        /// Those that are, ascending.
        resident: Vec<Generation>,
    },
    /// There is no earlier generation.
    #[error("{}; resident: {}", no_earlier(*.active, *.before), listed(.resident))]
    NoEarlier {
        /// The active one.
        active: Generation,
        /// The one that was active before it, where that is known; it is not resident any more.
        before: Option<Generation>,
        /// The resident ones, ascending.
        resident: Vec<Generation>,
    },
    /// The active generation was made for another node.
    #[error("what is active here was made for node `{loaded}`, not for `{wanted}`")]
    OtherNode {
        /// The node of the active generation.
        loaded: String,
        /// The one that was asked for.
        wanted: String,
        /// The active linked digest.
        digest: Digest,
    },
    /// What is loaded has another memory.
    #[error("what is loaded here keeps its history in `{loaded}`, not in `{wanted}`", wanted = .wanted.display())]
    OtherState {
        /// The state directory of the active generation.
        loaded: String,
        /// The one that was named.
        wanted: PathBuf,
    },
    /// A generation's record is another lrpc's.
    #[error("generation {generation} is active, recorded by another lrpc")]
    RecordedByAnother {
        /// The generation.
        generation: Generation,
        /// Why it is not understood.
        source: RecordError,
    },
    /// Programs act by maps that are not pinned.
    #[error(
        "the attached programs act by a map `{0}` that is not the pinned one: what they do cannot be read"
    )]
    Orphaned(&'static str),
    /// Somebody else changed a link of ours meanwhile.
    #[error("the link of hook `{0}` changed meanwhile")]
    HookChanged(Hook),
    /// Every number that a generation can have was used.
    #[error("no number is left for a new generation")]
    NoNumber,
    /// Something that is not lrpc's lies in its directory.
    #[error("`{bpffs}` holds what is not lrpc's, and it stays: {names}", bpffs = .bpffs.display(), names = .names.join(", "))]
    Left {
        /// The directory of pins.
        bpffs: PathBuf,
        /// What was left, as paths below it.
        names: Vec<String>,
    },
    /// A command failed, and something else with it.
    #[error("{error}")]
    Undone {
        /// What kept the command from its work.
        error: Box<Self>,
        /// What could not be cleaned up or written down.
        beside: Vec<Self>,
    },
    /// Connections were not looked at, or not closed.
    #[error(transparent)]
    Existing(#[from] Overlooked),
    /// The generation's record cannot be kept with it.
    #[error(transparent)]
    Record(#[from] RecordRefused),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The programs could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] SysError),
}

/// `1 program`, `2 programs`.
pub(super) fn programs(count: usize) -> String {
    format!("{count} program{}", if count == 1 { "" } else { "s" })
}

fn listed(generations: &[Generation]) -> String {
    generations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn no_earlier(active: Generation, before: Option<Generation>) -> String {
    match before {
        Some(before) => {
            format!("generation {before}, which was active before {active}, is not resident any more")
        }
        None => format!("no resident generation is earlier than {active}"),
    }
}

fn or_none(digest: Option<Digest>) -> String {
    digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string())
}

impl Error {
    /// The error with its causes, on one line.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        if let Self::Undone { error, beside } = self {
            text = error.with_causes();
            for other in beside {
                text.push_str("; and ");
                text.push_str(&other.with_causes());
            }
        }
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// What to do about it, where it is known.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Busy { .. } => {
                Some("wait for it to end; the lock is free as soon as the process is gone".to_owned())
            }
            Self::Watched(_) => Some("end it first: each decision is told once".to_owned()),
            Self::Pins(error) if error.is_denied() => Some(DENIED.to_owned()),
            Self::Pins(error) => error.remedy("--bpffs"),
            Self::Later { .. } => Some("use that version, or another directory by --bpffs".to_owned()),
            Self::Gone(_) => Some("try again".to_owned()),
            Self::NoBpffs { mount_at, .. } => Some(format!("mount -t bpf bpf {}", mount_at.display())),
            Self::NoCgroup2 => Some("mount -t cgroup2 none /sys/fs/cgroup".to_owned()),
            Self::ContainerView { .. } => Some(
                "mount the host's /sys/fs/cgroup into the container (hostPath) and name it by --cgroup".to_owned(),
            ),
            Self::NotCgroup2 { .. } => Some("name a directory of a cgroup2 mount by --cgroup".to_owned()),
            Self::OtherCgroup { .. } => {
                Some("`lrpc unload` first, or use other --bpffs and --state directories".to_owned())
            }
            Self::Held(_) => Some("attach that program with BPF_F_ALLOW_MULTI, or detach it".to_owned()),
            Self::Behind { .. } => Some(
                "on a kernel where lrpc can attach before them (6.16; Debian's 6.12), `lrpc unload` and apply again; else name \
                 a cgroup below theirs by --cgroup"
                    .to_owned(),
            ),
            Self::OtherVersion { .. } | Self::Shape { .. } => Some("`lrpc unload`, then apply again".to_owned()),
            Self::OtherNode { loaded, wanted, digest } => Some(format!(
                "pass `--node {loaded}`; where this machine is `{wanted}` now, say so by `--expect {digest}`"
            )),
            Self::OtherState { loaded, .. } => Some(format!("pass `--state {loaded}`")),
            Self::RecordedByAnother { .. } => {
                Some("use the lrpc that applied it, or apply an image with this one".to_owned())
            }
            Self::Orphaned(_) => Some("`lrpc apply` an image: its set takes their place in one step".to_owned()),
            Self::HookChanged(_) => Some("apply again".to_owned()),
            Self::NoNumber => Some("`lrpc unload` and remove the state directory's history".to_owned()),
            Self::Left { .. } => Some("look at it, and remove it yourself".to_owned()),
            Self::Undone { error, .. } => error.remedy(),
            Self::Keep { .. } => Some("leave --keep out, or `lrpc unload` first".to_owned()),
            Self::NoSuchGeneration { .. } => Some("`lrpc history` lists the generations".to_owned()),
            Self::NoEarlier { active, resident, .. } if resident.iter().all(|other| other == active) => Some(
                "there is nothing to go back to; `lrpc apply` an earlier image, or `lrpc unload`".to_owned(),
            ),
            Self::NoEarlier { .. } => Some("name one by --to".to_owned()),
            Self::NothingLoaded => Some("`lrpc apply` an image".to_owned()),
            Self::NotResident(_) | Self::NoSlot | Self::ReadBack { .. } => Some("apply again".to_owned()),
            Self::State(error) => error.remedy(),
            Self::Unidentified(error) => Some(unidentified(error).to_owned()),
            Self::Existing(overlooked) => overlooked.remedy(),
            Self::Kernel(error) if error.is_denied() => Some(DENIED.to_owned()),
            Self::Load(error) if error.is_denied() => Some(DENIED.to_owned()),
            Self::Load(LoadError::Shape(_)) => Some("`lrpc unload`, then apply again".to_owned()),
            Self::Load(_) => Some("`lrpc doctor` says what this kernel lacks".to_owned()),
            Self::Record(_) => Some("use shorter paths and names".to_owned()),
            Self::NotInThisVersion(_) | Self::Expectation { .. } | Self::Kernel(_) => None,
        }
    }
}

const DENIED: &str = "run as root, or with CAP_BPF and CAP_NET_ADMIN; `lrpc doctor` says what is missing";

fn unidentified(error: &Unidentified) -> &'static str {
    match error {
        Unidentified::Backend { .. } => {
            "dump the cluster again, if the pod was made anew; else name by --cgroup the directory that the kubelet's \
             tree is below; no policy of the image is applied, since the pod would be redirected to itself"
        }
        Unidentified::NoTree { .. } => {
            "name by --cgroup the directory that `kubepods` or `kubepods.slice` is below"
        }
        Unidentified::NoRoot { .. } => {
            "mount the host's /sys/fs/cgroup into the container (hostPath) and name it by --cgroup"
        }
        Unidentified::TooManyLevels { .. } => {
            "run the kubelets of this node with one depth of `--cgroup-root`"
        }
    }
}

impl From<FsError> for Error {
    fn from(error: FsError) -> Self {
        Self::Pins(error)
    }
}

impl From<PinError> for Error {
    fn from(error: PinError) -> Self {
        match error {
            PinError::Directory(error) => Self::Pins(error),
            PinError::Kernel(error) => Self::Kernel(error),
        }
    }
}

impl From<SharedError> for Error {
    fn from(error: SharedError) -> Self {
        match error {
            SharedError::Shape(map) => Self::Shape { map },
            SharedError::Pin(error) => error.into(),
        }
    }
}

impl From<WatchError> for Error {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Lock(LockError::Busy { holder, .. }) => Self::Watched(holder),
            WatchError::Lock(error) => error.into(),
            WatchError::Shared(error) => error.into(),
        }
    }
}

impl From<MountError> for Error {
    fn from(error: MountError) -> Self {
        match error {
            MountError::NoBpffs { mount_at, source } => Self::NoBpffs { mount_at, source },
            MountError::Directory(error) => Self::Pins(error),
            MountError::State(error) => Self::State(error),
            MountError::Kernel(error) => Self::Kernel(error),
            MountError::Lock(error) => error.into(),
        }
    }
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy { path, holder } => Self::Busy { path, holder },
            LockError::Directory(error) => Self::Pins(error),
        }
    }
}

impl From<InstanceError> for Error {
    fn from(error: InstanceError) -> Self {
        match error {
            InstanceError::Mount(error) => error.into(),
            InstanceError::Directory(error) => Self::Pins(error),
            InstanceError::Later { path, layout } => Self::Later { path, layout },
            InstanceError::Gone(path) => Self::Gone(path),
            InstanceError::Lock(error) => error.into(),
            InstanceError::Kernel(error) => Self::Kernel(error),
        }
    }
}

impl From<NoCgroup> for Error {
    fn from(error: NoCgroup) -> Self {
        match error {
            NoCgroup::NoMount => Self::NoCgroup2,
            NoCgroup::ContainerView(path) => Self::ContainerView { path },
            NoCgroup::NotCgroup2(path) => Self::NotCgroup2 { path },
            NoCgroup::Refused(error) => Self::Kernel(error),
        }
    }
}
