//! `lrpc status`: what is active, read back from the kernel.

use lrpc_linker::profile::Mode;
use lrpc_schema::image::Digest;
use lrpc_schema::records::{Generation, Hook};
use serde::Serialize;

use super::counters::{Counted, PolicyTally};
use super::loaded::Found;
use super::verify::{Difference, check_hooks, not_resident, orphaned};
use super::{Error, Node};
use crate::kernel::pins::Folder;
use crate::kernel::writer::Reader;
use crate::record::{Coverage, Record, text};

/// What is active. Serialises as CONTRACT says.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// A generation is active.
    #[serde(rename = "active")]
    pub is_active: bool,
    /// Which; `None` where nothing is loaded, or the cell names no resident set.
    #[serde(flatten)]
    pub active: Option<ActiveStatus>,
    /// Pods that what is active was linked with, and whose cgroup is gone from this node: it is to be linked
    /// again. `NAMESPACE/NAME`, sorted; empty also where no kubelet's tree is below the cgroup.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone_pods: Vec<String>,
    /// What was counted of each policy, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counters: Option<Vec<PolicyTally>>,
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
    /// Rows that the node's data path does not carry: none, in the modes that this version loads.
    pub left_out: usize,
    /// The resident generations, ascending.
    pub resident: Vec<Generation>,
    /// The hooks whose links are pinned, sorted.
    pub hooks: Vec<String>,
    /// When it was applied, RFC 3339.
    pub applied_at: String,
    /// It counts what it would redirect or refuse, and touches nothing.
    #[serde(rename = "audit")]
    pub is_audit: bool,
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
            left_out: 0,
            resident,
            hooks,
            applied_at: record.applied_at.clone(),
            is_audit: record.is_audit,
        }
    }
}

impl Node {
    /// What is active.
    ///
    /// # Errors
    /// The kernel refuses, what is pinned is not ours, or another lrpc recorded what is active.
    pub fn status(&self) -> Result<Status, Error> {
        self.status_of(false)
    }

    /// The same with what was counted.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub fn status_with_counters(&self) -> Result<Status, Error> {
        self.status_of(true)
    }

    fn status_of(&self, with_counters: bool) -> Result<Status, Error> {
        let inactive = |differences| Status { differences, ..Status::default() };
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
        let gone_pods = self.gone_pods(&loaded, record)?;
        let counted = with_counters.then(|| Counted::read(&reader)).transpose()?;
        let counters = counted.map(|counted| counted.by_policy(self.linked_set(&loaded, record).as_ref()));
        Ok(Status { is_active: true, active: Some(active), gone_pods, counters, differences })
    }
}

/// The hooks whose links are pinned.
fn pinned_hooks(reader: &Reader) -> Result<Vec<String>, Error> {
    let names = reader.names(&Folder::Links)?.into_iter();
    let hook = |name: std::ffi::OsString| Hook::of_name(name.to_str()?);
    Ok(names.filter_map(hook).map(|hook| hook.to_string()).collect())
}
