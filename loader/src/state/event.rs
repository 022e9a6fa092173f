//! What was done to a node, as the history keeps it.

use lrpc_schema::image::Digest;
use lrpc_schema::records::Generation;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::record::{Record, text};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `lrpc apply`.
    Apply,
    /// `lrpc rollback`.
    Rollback,
    /// `lrpc unload`.
    Unload,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It took effect.
    Ok,
    /// It took none: what was active before stays.
    Failed,
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The generation that was made active, was to be, or was removed.
    pub generation: Generation,
    /// When, RFC 3339.
    pub at: String,
    /// What.
    pub action: Action,
    /// The image's digest.
    #[serde(with = "text")]
    pub image: Digest,
    /// The linked digest.
    #[serde(with = "text")]
    pub digest: Digest,
    /// How it ended.
    pub result: Outcome,
    /// The generation can be rolled back to. Known by the kernel alone, so false in the file.
    #[serde(default)]
    pub resident: bool,
    /// Why it failed.
    pub error: Option<String>,
}

impl Event {
    /// What is done to the generation of a record, if it works.
    pub(crate) fn of(action: Action, record: &Record) -> Self {
        Self {
            generation: record.generation,
            at: clock::now(),
            action,
            image: record.image,
            digest: record.digest,
            result: Outcome::Ok,
            resident: false,
            error: None,
        }
    }

    /// The same, but it did not work.
    pub(crate) fn failed(self, error: &crate::node::Error) -> Self {
        Self { result: Outcome::Failed, error: Some(error.with_causes()), ..self }
    }
}
