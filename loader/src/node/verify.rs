//! `lrpc verify`: maps, programs and links in the kernel are what was loaded.

use lrpc_schema::records::TABLES;
use serde::Serialize;

use super::status::not_resident;
use super::{Error, Loaded, Node};
use crate::kernel::hooks::{HOOKS, program_of};
use crate::kernel::object::version_name;
use crate::kernel::pins::Pins;
use crate::kernel::sys::SysError;
use crate::kernel::sys::link::CgroupLink;
use crate::record::Record;
use crate::resolve::resolve;
use lrpc_linker::mapset::MapSet;
use lrpc_linker::profile::Profile;

/// Where something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Where {
    /// A table.
    Map,
    /// A program.
    Program,
    /// A link to the cgroup.
    Link,
    /// The cell.
    Cell,
}

/// One thing that is not as it was loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What kind of thing it is.
    #[serde(rename = "where")]
    pub place: Where,
    /// Its name.
    pub name: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

/// What was verified. Serialises as CONTRACT says.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// Nothing differs, and something is loaded.
    pub ok: bool,
    /// The generation that the cell names; `None` where nothing is loaded.
    pub generation: Option<u64>,
    /// What differs.
    pub differences: Vec<Difference>,
}

impl Node {
    /// Compares what is in the kernel with what was loaded and, where one is given, with a map set.
    ///
    /// # Errors
    /// The kernel refuses, or the map set is one that `apply` would refuse.
    pub fn verify(&self, set: Option<&MapSet>) -> Result<Verification, Error> {
        let Some((_lock, loaded)) = self.read()? else {
            return Ok(Verification { ok: false, generation: None, differences: Vec::new() });
        };
        let differences = match (loaded.active(), loaded.record()) {
            (Some(active), Some(record)) => {
                let mut differences = check_tables(&loaded)?;
                let found = active.tables.digest()?;
                let expected = match set {
                    Some(set) => resolve(set, Profile::new(record.mode))?.digest,
                    None => record.resolved,
                };
                if found != expected {
                    differences.push(Difference {
                        place: Where::Map,
                        name: TABLES.join(", "),
                        expected: expected.to_string(),
                        found: found.to_string(),
                    });
                }
                differences.extend(check_links(&self.pins, record)?);
                differences
            }
            _ => vec![not_resident(&loaded)],
        };
        let generation = Some(loaded.active);
        Ok(Verification { ok: differences.is_empty(), generation, differences })
    }
}

/// What the cell's slot holds, against the maps that are pinned for the active generation.
fn check_tables(loaded: &Loaded) -> Result<Vec<Difference>, SysError> {
    let shown = |id: Option<u32>| id.map_or_else(|| "empty".to_owned(), |id| format!("map {id}"));
    let occupants = loaded.shared.occupants()?;
    let found = occupants.get(usize::from(loaded.slot)).cloned().unwrap_or_default();
    let expected = loaded.active().map(|active| active.tables.ids()).unwrap_or_default();
    let differing =
        TABLES.iter().zip(expected.into_iter().zip(found)).filter(|(_, (one, other))| one != other);
    let difference = |(table, (expected, found)): (&&str, (Option<u32>, Option<u32>))| Difference {
        place: Where::Map,
        name: (*table).to_owned(),
        expected: shown(expected),
        found: shown(found),
    };
    Ok(differing.map(difference).collect())
}

/// The links and their programs, against what the active generation's record says. A later version's
/// programs serve an earlier generation after a rollback, so only programs of the recorded version are held
/// to the recorded tags.
pub(crate) fn check_links(pins: &Pins, record: &Record) -> Result<Vec<Difference>, SysError> {
    let mut differences = Vec::new();
    for hook in HOOKS {
        let mut differs = |place, expected: String, found: String| {
            differences.push(Difference { place, name: hook.name.to_owned(), expected, found });
        };
        let Some(link) = CgroupLink::open(&pins.link(hook.name))? else {
            differs(Where::Link, "attached".to_owned(), "missing".to_owned());
            continue;
        };
        if link.cgroup() != record.cgroup_id || link.attach_type() != hook.attach_type() {
            let shown = |cgroup, attach_type| format!("hook {attach_type} of cgroup {cgroup}");
            let expected = shown(record.cgroup_id, hook.attach_type());
            let found = match link.cgroup() {
                0 => "detached".to_owned(),
                id => shown(id, link.attach_type()),
            };
            differs(Where::Link, expected, found);
        }
        match program_of(pins, hook, link.program())? {
            None => {
                let found = format!("program {}, which is not lrpc's", link.program());
                differs(Where::Link, "a program of lrpc".to_owned(), found);
            }
            Some((version, program)) if version == version_name(&record.program) => {
                let expected = record.tags.get(hook.name).cloned().unwrap_or_default();
                if expected != program.tag() {
                    differs(Where::Program, expected, program.tag());
                }
            }
            Some(_) => {}
        }
    }
    Ok(differences)
}
