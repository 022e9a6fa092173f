//! Why what the state directory keeps cannot be used.

use std::path::PathBuf;

use lrpc_linker::mapset::NotAMapSet;

use crate::fs::FsError;
use crate::kernel::lock::{Holder, LockError};

/// Why what the state directory keeps cannot be used. [`remedy`](Self::remedy) says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The directory, or a file in it, cannot be used.
    #[error(transparent)]
    Directory(#[from] FsError),
    /// It is the memory of another instance, which is loaded.
    #[error("`{state}` is the state of the instance with pins at `{pins}`", state = .state.display())]
    OfAnother {
        /// The state directory.
        state: PathBuf,
        /// The other's directory of pins.
        pins: String,
    },
    /// A later version of lrpc wrote it.
    #[error("`{path}` was written by a later lrpc: it has format {format}", path = .path.display())]
    Later {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// A file is not what was written.
    #[error("`{path}` is damaged: {damage}", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        damage: Damage,
    },
    /// Lines of the history are no events of this version.
    #[error("lines of `{path}` that are no events were passed over: {lines}", path = .path.display())]
    PassedOver {
        /// The history.
        path: PathBuf,
        /// How many.
        lines: usize,
    },
    /// Another instance is taking the directory over.
    #[error("{holder} has locked `{path}`", path = .path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
        /// Who, as far as it is known.
        holder: Holder,
    },
    /// Something cannot be written as JSON.
    #[error("what is to be kept cannot be written")]
    Unwritable(#[source] serde_json::Error),
}

/// What is wrong with a kept generation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It does not begin as one.
    #[error("it is no kept generation")]
    Magic,
    /// At least one bit is not what was written.
    #[error("its checksum does not fit")]
    Checksum,
    /// What it says of itself cannot be read.
    #[error("what it says of itself cannot be read: {0}")]
    LoadedAs(String),
    /// The set cannot be read.
    #[error(transparent)]
    Set(#[from] NotAMapSet),
    /// The set is not the one that it says.
    #[error("its set has another digest than it says")]
    Digest,
}

impl StateError {
    /// What to do about it, where it is known.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Directory(error) => Some(error.remedy("--state").unwrap_or_else(|| WRITABLE.to_owned())),
            Self::OfAnother { .. } => Some("name another directory by --state".to_owned()),
            Self::Later { .. } => Some("use that version, or another directory by --state".to_owned()),
            Self::Damaged { path, .. } => Some(format!("remove `{}` and apply again", path.display())),
            Self::Busy { .. } => Some("wait for it to end".to_owned()),
            Self::PassedOver { .. } | Self::Unwritable(_) => None,
        }
    }
}

const WRITABLE: &str = "make it writable, or name another by --state";

impl From<LockError> for StateError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy { path, holder } => Self::Busy { path, holder },
            LockError::Directory(error) => Self::Directory(error),
        }
    }
}
