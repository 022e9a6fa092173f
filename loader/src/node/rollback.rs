//! `lrpc rollback`: the same flip, to an earlier resident generation.

use lrpc_schema::records::{Generation, Hook};

use super::existing::{Concern, Existing};
use super::loaded::{Found, Loaded};
use super::recover::recover;
use super::steps::{self, Need};
use super::transaction::Transaction;
use super::verify::check_order;
use super::{Applied, Error, Node};
use crate::kernel::cgroup::Cgroup;
use crate::kernel::hooks::{HookState, holder, state, stranger};
use crate::kernel::object::{version, version_name};
use crate::kernel::order::Cause;
use crate::kernel::writer::Writer;
use crate::record::Record;
use crate::state::{Action, Event};

impl Node {
    /// Makes a resident generation the active one: `to`, or the one that was active before the present one.
    /// Hooks that are missing are attached first. The connections that the change concerns are kept or closed.
    ///
    /// # Errors
    /// Nothing is loaded, there is no such generation, or the kernel refuses. The active generation stays then,
    /// and hooks that were attached for it stay attached.
    pub fn rollback(&self, to: Option<Generation>, existing: Existing) -> Result<Applied, Error> {
        let writer = self.existing_writer()?.ok_or(Error::NothingLoaded)?;
        let found = Found::read(&writer)?;
        self.is_remembered_here(&found)?;
        self.state.claim(writer.root())?;
        let loaded = match recover(&writer, found)? {
            Found::Nothing => return Err(Error::NothingLoaded),
            Found::Orphaned(map) => return Err(Error::Orphaned(map)),
            Found::Loaded(loaded) => loaded,
        };
        let generation = target(&loaded, to)?;
        let resident = loaded.numbers();
        let no_such = || Error::NoSuchGeneration { generation, resident: resident.clone() };
        let chosen = loaded.resident.get(&generation).ok_or_else(no_such)?;
        let record = chosen.record.clone();
        let record = record.map_err(|source| Error::RecordedByAnother { generation, source })?;
        let changed = generation != loaded.active;
        let needs = needs(&writer, &loaded, &record)?;
        let closes = changed && existing == Existing::Close;
        let cgroup = match closes || needs.iter().any(|(_, need)| *need == Need::Attach) {
            true => Some(self.recorded_cgroup(&record)?),
            false => None,
        };
        let mended = needs.iter().any(|(_, need)| *need != Need::Nothing);
        let plan = match changed || mended {
            true => steps::plan_rollback(generation, chosen.slot, &needs),
            false => steps::Plan::default(),
        };
        let change =
            || -> Result<_, Error> { Ok(Concern::between(&loaded.tables()?, &chosen.tables.read()?)) };
        let (plan, concern, trouble) = match closes.then(change) {
            None => (plan, None, None),
            Some(Ok(concern)) => (plan.closing(), Some(concern), None),
            Some(Err(error)) => (plan, None, Some(error)),
        };
        let differences = check_order(self, &writer, &record)?;
        let previous = Some(loaded.active);
        let event = Event::of(Action::Rollback, &record);
        let done = Transaction::new(self, &writer, Cause::Rollback, &mut |_| {})
            .on(cgroup.as_ref())
            .closing(concern)
            .recording(Some(record), Some(event))
            .from(*loaded)?
            .run(&plan)?;
        let mut applied = Applied::of(done, previous, changed);
        applied.status.differences = differences;
        applied.troubles.extend(trouble);
        Ok(applied)
    }

    /// The cgroup that a generation was applied for, where it can still be attached to.
    fn recorded_cgroup(&self, record: &Record) -> Result<Cgroup, Error> {
        let cgroup = self.cgroup()?;
        if cgroup.id() != record.cgroup_id {
            return Err(Error::OtherCgroup {
                loaded: record.cgroup.clone(),
                wanted: cgroup.path().to_owned(),
            });
        }
        match holder(&cgroup)? {
            Some(holder) => Err(Error::Held(holder)),
            None => Ok(cgroup),
        }
    }
}

/// Which generation is meant.
fn target(loaded: &Loaded, to: Option<Generation>) -> Result<Generation, Error> {
    let (active, resident) = (loaded.active, loaded.numbers());
    // Where the order was lost, the newest that is earlier.
    let earlier = || resident.iter().copied().filter(|&generation| generation < active).max();
    let before = || match loaded.order.before(active) {
        Some(before) if resident.contains(&before) => Ok(before),
        Some(before) => Err(Error::NoEarlier { active, before: Some(before), resident: resident.clone() }),
        None => {
            earlier().ok_or_else(|| Error::NoEarlier { active, before: None, resident: resident.clone() })
        }
    };
    to.map_or_else(before, Ok)
}

/// What each hook needs to serve a generation. Programs of another version serve it as well.
fn needs(writer: &Writer, loaded: &Loaded, record: &Record) -> Result<Vec<(Hook, Need)>, Error> {
    let (version, maps) = (version_name(&version()), loaded.shared.used_by_programs());
    let mut needs = Vec::new();
    for hook in Hook::ALL {
        let need = match state(writer, hook, &version, record.cgroup_id, Some(&maps))? {
            HookState::Current => Need::Nothing,
            HookState::Outdated { program, .. } => match stranger(&program, hook, &maps)? {
                Some(_) => Need::Replace,
                None => Need::Nothing,
            },
            HookState::Missing => Need::Attach,
            HookState::Elsewhere => {
                let active = loaded.record().ok().flatten();
                return Err(Error::OtherCgroup {
                    loaded: active.map(|active| active.cgroup.clone()).unwrap_or_default(),
                    wanted: record.cgroup.clone().into(),
                });
            }
        };
        needs.push((hook, need));
    }
    Ok(needs)
}
