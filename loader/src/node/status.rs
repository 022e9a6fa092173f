//! `lrpc status`: what is active, read back from the kernel.

use lrpc_schema::image::Digest;
use serde::Serialize;

use super::verify::{Difference, Where, check_links};
use super::{Error, Loaded, Node};
use crate::kernel::hooks::HOOKS;
use crate::kernel::pins;
use crate::record::{Coverage, text};
use lrpc_linker::profile::Mode;

/// What is active. Serialises as CONTRACT says.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// A generation is active.
    #[serde(rename = "active")]
    pub is_active: bool,
    /// Which; `None` where nothing is loaded, or the cell names no resident set.
    #[serde(flatten)]
    pub active: Option<ActiveStatus>,
    /// What is not as it was loaded: a cell that names no resident set, a missing or foreign hook. Anything
    /// here is exit 1.
    #[serde(skip)]
    pub differences: Vec<Difference>,
}

/// The active generation.
#[derive(Clone, Debug, Serialize)]
pub struct ActiveStatus {
    /// Its number.
    pub generation: u64,
    /// The image's digest.
    #[serde(with = "text")]
    pub image: Digest,
    /// The linked digest.
    #[serde(with = "text")]
    pub digest: Digest,
    /// The node that the image was linked for.
    pub node: String,
    /// Where the hooks act.
    pub mode: Mode,
    /// Whose connections they see.
    pub coverage: Coverage,
    /// Rows with an entry, in state `redirect` or `drop`.
    pub frontends: usize,
    /// Distinct (address, port, protocol) among their backends.
    pub backends: usize,
    /// Rows that this version cannot carry.
    pub left_out: usize,
    /// The resident generations, ascending.
    pub resident: Vec<u64>,
    /// The hooks whose links are pinned, sorted.
    pub hooks: Vec<String>,
    /// When it was applied, RFC 3339.
    pub applied_at: String,
}

impl Node {
    /// What is active.
    ///
    /// # Errors
    /// The kernel refuses, or what is pinned is not ours.
    pub fn status(&self) -> Result<Status, Error> {
        let read = self.read()?;
        self.status_of(read.as_ref().map(|(_, loaded)| loaded))
    }

    /// The status of what was read under a lock that the caller holds.
    pub(crate) fn status_of(&self, loaded: Option<&Loaded>) -> Result<Status, Error> {
        let nothing = Status { is_active: false, active: None, differences: Vec::new() };
        let Some(loaded) = loaded else {
            return Ok(nothing);
        };
        let Some(record) = loaded.record() else {
            return Ok(Status { differences: vec![not_resident(loaded)], ..nothing });
        };
        let known = |name: &String| HOOKS.iter().any(|hook| hook.name == name);
        let active = ActiveStatus {
            generation: loaded.active,
            image: record.image,
            digest: record.digest,
            node: record.node.clone(),
            mode: record.mode,
            coverage: record.coverage,
            frontends: record.frontends,
            backends: record.backends,
            left_out: record.left_out,
            resident: loaded.numbers(),
            hooks: pins::names(&self.pins.links())?.into_iter().filter(known).collect(),
            applied_at: record.applied_at.clone(),
        };
        let differences = check_links(&self.pins, record)?;
        Ok(Status { is_active: true, active: Some(active), differences })
    }
}

/// The cell names a set that is not there.
pub(crate) fn not_resident(loaded: &Loaded) -> Difference {
    Difference {
        place: Where::Cell,
        name: "cell".to_owned(),
        expected: format!("one of the resident generations {:?}", loaded.numbers()),
        found: format!("generation {} in slot {}", loaded.active, loaded.slot),
    }
}
