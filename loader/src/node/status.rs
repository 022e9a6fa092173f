//! `lrpc status`: what is active, read back from the kernel.

use lrpc_linker::profile::Mode;
use lrpc_schema::image::Digest;
use lrpc_schema::records::{Generation, Hook};
use serde::Serialize;

use super::loaded::{Found, Loaded};
use super::verify::{Difference, Where, check_hooks};
use super::{Error, Node};
use crate::kernel::pins::Folder;
use crate::kernel::writer::Reader;
use crate::record::{Coverage, Record, text};

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
    pub generation: Generation,
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
    /// Rows that the node's data path does not carry.
    pub left_out: usize,
    /// The resident generations, ascending.
    pub resident: Vec<Generation>,
    /// The hooks whose links are pinned, sorted.
    pub hooks: Vec<String>,
    /// When it was applied, RFC 3339.
    pub applied_at: String,
}

impl ActiveStatus {
    /// The status of what a record speaks of.
    pub(super) fn of(record: &Record, resident: Vec<Generation>, mut hooks: Vec<String>) -> Self {
        hooks.sort_unstable();
        Self {
            generation: record.generation,
            image: record.image,
            digest: record.digest,
            node: record.node.clone(),
            mode: record.mode,
            coverage: record.coverage,
            frontends: record.frontends,
            backends: record.backends,
            left_out: record.left_out,
            resident,
            hooks,
            applied_at: record.applied_at.clone(),
        }
    }
}

impl Node {
    /// What is active.
    ///
    /// # Errors
    /// The kernel refuses, what is pinned is not ours, or another lrpc recorded what is active.
    pub fn status(&self) -> Result<Status, Error> {
        let inactive = |differences| Status { is_active: false, active: None, differences };
        let Some(reader) = self.reader()? else {
            return Ok(inactive(Vec::new()));
        };
        let loaded = match Found::read(&reader)? {
            Found::Nothing => return Ok(inactive(Vec::new())),
            Found::Orphaned(map) => return Ok(inactive(vec![orphaned(map)])),
            Found::Loaded(loaded) => loaded,
        };
        let Some(record) = loaded.record()? else {
            return Ok(inactive(vec![not_resident(&loaded)]));
        };
        let active = ActiveStatus::of(record, loaded.numbers(), pinned_hooks(&reader)?);
        let differences = check_hooks(self, &reader, &loaded, record)?;
        Ok(Status { is_active: true, active: Some(active), differences })
    }
}

/// The hooks whose links are pinned.
fn pinned_hooks(reader: &Reader) -> Result<Vec<String>, Error> {
    let names = reader.names(&Folder::Links)?.into_iter();
    let hook = |name: std::ffi::OsString| Hook::of_name(name.to_str()?);
    Ok(names.filter_map(hook).map(|hook| hook.to_string()).collect())
}

/// The cell names a set that is not there.
pub(crate) fn not_resident(loaded: &Loaded) -> Difference {
    let resident: Vec<_> = loaded.numbers().iter().map(ToString::to_string).collect();
    Difference {
        place: Where::Cell,
        name: "cell".to_owned(),
        expected: format!("one of the resident generations [{}]", resident.join(", ")),
        found: format!("generation {} in slot {}", loaded.active, loaded.slot),
    }
}

/// The attached programs act by a map that is not the pinned one.
pub(crate) fn orphaned(map: &str) -> Difference {
    Difference {
        place: Where::Map,
        name: map.to_owned(),
        expected: "the map that the attached programs use".to_owned(),
        found: "another map, or none, is pinned".to_owned(),
    }
}
