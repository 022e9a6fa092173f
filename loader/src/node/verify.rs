//! `lrpc verify`: maps, programs and links in the kernel are what was loaded.

use lrpc_linker::MapSet;
use lrpc_schema::records::{Generation, Hook, Table};
use serde::Serialize;

use super::error::programs;
use super::loaded::{Found, Loaded};
use super::{Error, Node};
use crate::kernel::cgroup::{Cgroup, is_gone};
use crate::kernel::hooks::{attach_type, ids, neighbours, program_of, stranger};
use crate::kernel::object::version_name;
use crate::kernel::pins::PinnedLink;
use crate::kernel::sys::SysError;
use crate::kernel::sys::link::{CgroupLink, Program};
use crate::kernel::writer::Reader;
use crate::record::Record;
use crate::resolve::resolve;

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
    pub generation: Option<Generation>,
    /// Pods that it was linked with and that are gone, as [`Status`](super::Status) has them. They are no
    /// difference: what was loaded is loaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone_pods: Vec<String>,
    /// What differs.
    pub differences: Vec<Difference>,
}

impl Node {
    /// Compares what is in the kernel with what was loaded and, where one is given, with a map set.
    ///
    /// # Errors
    /// The kernel refuses, another lrpc recorded what is active, or the map set is one that `apply` would
    /// refuse.
    pub fn verify(&self, set: Option<&MapSet>) -> Result<Verification, Error> {
        let nothing =
            |differences| Verification { ok: false, generation: None, gone_pods: Vec::new(), differences };
        let mut gone_pods = Vec::new();
        let Some(reader) = self.reader()? else {
            return Ok(nothing(Vec::new()));
        };
        let loaded = match Found::read(&reader)? {
            Found::Nothing => return Ok(nothing(Vec::new())),
            Found::Orphaned(map) => return Ok(nothing(vec![orphaned(map)])),
            Found::Loaded(loaded) => loaded,
        };
        let differences = match (loaded.active(), loaded.record()?) {
            (Some(active), Some(record)) => {
                let mut differences = check_tables(&loaded)?;
                let found = active.tables.digest()?;
                let expected = match set {
                    Some(set) => resolve(set, record.conduct(), &self.identities_of(record)?)?.digest,
                    None => record.resolved,
                };
                if found != expected {
                    differences.push(Difference {
                        place: Where::Map,
                        name: Table::ALL.map(Table::name).join(", "),
                        expected: expected.to_string(),
                        found: found.to_string(),
                    });
                }
                differences.extend(check_hooks(self, &reader, &loaded, record)?);
                gone_pods = self.gone_pods(&loaded, record)?;
                differences
            }
            _ => vec![not_resident(&loaded)],
        };
        let generation = Some(loaded.active);
        Ok(Verification { ok: differences.is_empty(), generation, gone_pods, differences })
    }
}

/// The cell names a set that is not there.
pub(super) fn not_resident(loaded: &Loaded) -> Difference {
    let resident: Vec<_> = loaded.numbers().iter().map(ToString::to_string).collect();
    Difference {
        place: Where::Cell,
        name: "cell".to_owned(),
        expected: format!("one of the resident generations [{}]", resident.join(", ")),
        found: format!("generation {} in slot {}", loaded.active, loaded.slot),
    }
}

/// The attached programs act by a map that is not the pinned one.
pub(super) fn orphaned(map: &str) -> Difference {
    Difference {
        place: Where::Map,
        name: map.to_owned(),
        expected: "the map that the attached programs use".to_owned(),
        found: "another map, or none, is pinned".to_owned(),
    }
}

/// What the cell's slot holds, against the maps that are pinned for the active generation.
fn check_tables(loaded: &Loaded) -> Result<Vec<Difference>, SysError> {
    let shown = |id: Option<u32>| id.map_or_else(|| "empty".to_owned(), |id| format!("map {id}"));
    let occupants = loaded.shared.occupants()?;
    let found = occupants.get(usize::from(loaded.slot.get())).cloned().unwrap_or_default();
    let expected = loaded.active().map(|active| active.tables.ids()).unwrap_or_default();
    let differing =
        Table::ALL.iter().zip(expected.into_iter().zip(found)).filter(|(_, (one, other))| one != other);
    let difference = |(table, (expected, found)): (&Table, (Option<u32>, Option<u32>))| Difference {
        place: Where::Map,
        name: table.to_string(),
        expected: shown(expected),
        found: shown(found),
    };
    Ok(differing.map(difference).collect())
}

/// The hooks, their links and their programs, against what a generation's record says.
pub(crate) fn check_hooks(
    node: &Node,
    reader: &Reader,
    loaded: &Loaded,
    record: &Record,
) -> Result<Vec<Difference>, Error> {
    let mut differences = Vec::new();
    for hook in Hook::ALL {
        differences.extend(check_hook(reader, loaded, record, hook)?);
    }
    if is_gone(record.cgroup.as_ref(), record.cgroup_id) {
        differences.push(Difference {
            place: Where::Link,
            name: "cgroup".to_owned(),
            expected: format!("cgroup {} at `{}`", record.cgroup_id, record.cgroup),
            found: "another one, or none".to_owned(),
        });
    }
    differences.extend(check_order(node, reader, record)?);
    Ok(differences)
}

/// Whom our programs come after, which matters where a Service's address must be met before it is rewritten.
pub(crate) fn check_order(node: &Node, reader: &Reader, record: &Record) -> Result<Vec<Difference>, Error> {
    let mut differences = Vec::new();
    let Some(cgroup) = cgroup_of(node, record).filter(|_| record.services) else {
        return Ok(differences);
    };
    for hook in Hook::ALL {
        let beside = neighbours(&cgroup, hook, &ids(reader, hook)?)?;
        if beside.present && beside.before > 0 {
            differences.push(Difference {
                place: Where::Link,
                name: hook.to_string(),
                expected: "before every other program".to_owned(),
                found: format!("behind {}", programs(beside.before)),
            });
        }
    }
    Ok(differences)
}

/// The cgroup of a record, where it is mounted here.
pub(super) fn cgroup_of(node: &Node, record: &Record) -> Option<Cgroup> {
    let recorded = Cgroup::open(record.cgroup.as_ref()).ok();
    let candidates = [recorded, node.cgroup().ok()];
    candidates.into_iter().flatten().find(|cgroup| cgroup.id() == record.cgroup_id)
}

/// A later version's programs serve an earlier generation after a rollback, so only programs of the recorded
/// version are held to the recorded tags.
fn check_hook(
    reader: &Reader,
    loaded: &Loaded,
    record: &Record,
    hook: Hook,
) -> Result<Vec<Difference>, Error> {
    let mut differences = Vec::new();
    let mut differs = |place, expected: String, found: String| {
        differences.push(Difference { place, name: hook.to_string(), expected, found });
    };
    let link = match reader.link(hook)? {
        PinnedLink::Link(link) => link,
        PinnedLink::Missing => {
            differs(Where::Link, "attached".to_owned(), "missing".to_owned());
            return Ok(differences);
        }
        PinnedLink::Foreign => {
            differs(Where::Link, "a link to a cgroup".to_owned(), "something else".to_owned());
            return Ok(differences);
        }
        // On a bpffs that is mounted read-only the kernel opens no link.
        PinnedLink::Unreadable => return Ok(differences),
    };
    differences.extend(check_place(&link, record, hook));
    match program_of(reader, hook, link.program())? {
        None => differences.push(Difference {
            place: Where::Link,
            name: hook.to_string(),
            expected: "a program of lrpc".to_owned(),
            found: format!("program {}, which is not lrpc's", link.program()),
        }),
        Some((version, program)) => {
            differences.extend(check_program(loaded, record, hook, &version, &program)?);
        }
    }
    Ok(differences)
}

fn check_place(link: &CgroupLink, record: &Record, hook: Hook) -> Option<Difference> {
    if link.cgroup() == record.cgroup_id && link.attach_type() == attach_type(hook) {
        return None;
    }
    let shown = |cgroup, attach_type| format!("hook {attach_type} of cgroup {cgroup}");
    Some(Difference {
        place: Where::Link,
        name: hook.to_string(),
        expected: shown(record.cgroup_id, attach_type(hook)),
        found: match link.cgroup() {
            0 => "detached".to_owned(),
            id => shown(id, link.attach_type()),
        },
    })
}

fn check_program(
    loaded: &Loaded,
    record: &Record,
    hook: Hook,
    version: &str,
    program: &Program,
) -> Result<Option<Difference>, SysError> {
    let differs =
        |expected, found| Some(Difference { place: Where::Program, name: hook.to_string(), expected, found });
    if let Some(map) = stranger(program, hook, &loaded.shared.used_by_programs())? {
        return Ok(differs(format!("uses the pinned map `{map}`"), format!("uses another `{map}`")));
    }
    if version != version_name(&record.program) {
        return Ok(None);
    }
    match record.tags.get(hook.name()) {
        Some(tag) if *tag == program.tag() => Ok(None),
        Some(tag) => Ok(differs(tag.clone(), program.tag())),
        None => Ok(differs("a recorded tag".to_owned(), program.tag())),
    }
}
