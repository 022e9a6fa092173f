//! The one interpreter of [`Step`]s.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::os::fd::AsFd;

use lrpc_linker::MapSet;
use lrpc_schema::image::Image;
use lrpc_schema::records::{Cell, Generation, Hook, META_SIZE, Table};

use super::existing::{Concern, ExistingCount};
use super::loaded::{Found, Loaded};
use super::recover::{Removed, detach, recover, settle_programs, unpin};
use super::steps::Plan;
use super::{Error, Node, Step};
use crate::kernel::cgroup::Cgroup;
use crate::kernel::counters::Counters;
use crate::kernel::hooks::{HookState, Programs, attach, state};
use crate::kernel::inner::{self, InnerMaps, build};
use crate::kernel::object::{LoadError, programs, version, version_name};
use crate::kernel::order::{Cause, Order};
use crate::kernel::pins::Folder;
use crate::kernel::shared::{Lever, Shared};
use crate::kernel::sys::link::Program;
use crate::kernel::sys::map::Map;
use crate::kernel::writer::Writer;
use crate::record::Record;
use crate::resolve::Resolved;
use crate::state::{Event, LoadedAs};
use crate::tables::{Packed, entries_of};

/// What an apply brings.
#[derive(Clone, Copy)]
pub(crate) struct Brought<'a> {
    pub(crate) image: &'a Image,
    pub(crate) set: &'a MapSet,
    pub(crate) resolved: &'a Resolved,
}

/// What the steps of one command work on. Its fields are filled by the command and by the steps.
pub(crate) struct Transaction<'a> {
    node: &'a Node,
    writer: &'a Writer,
    watch: &'a mut dyn FnMut(&Step),
    cause: Cause,
    brought: Option<Brought<'a>>,
    cgroup: Option<&'a Cgroup>,
    /// What the generation that becomes active, or stays, says of itself.
    record: Option<Record>,
    event: Option<Event>,
    shared: Option<Shared>,
    lever: Option<Lever>,
    order: Order,
    /// The resident generations.
    resident: BTreeSet<Generation>,
    programs: Programs,
    built: Vec<Map>,
    tables: Option<InnerMaps>,
    removed: Removed,
    /// What the change concerns, where connections are to be closed.
    concern: Option<Concern>,
    existing: ExistingCount,
    /// What did not work after the commit.
    troubles: Vec<Error>,
}

/// What was done, out of what is in hand: nothing is asked of the kernel after the commit.
#[derive(Debug)]
pub(crate) struct Done {
    /// What the active generation says of itself.
    pub(crate) record: Option<Record>,
    /// The resident generations, ascending.
    pub(crate) resident: Vec<Generation>,
    pub(crate) removed: Removed,
    /// What became of existing connections.
    pub(crate) existing: ExistingCount,
    /// What did not work after the commit. The next command tries it again.
    pub(crate) troubles: Vec<Error>,
}

impl<'a> Transaction<'a> {
    /// A transaction that knows nothing yet.
    pub(crate) fn new(
        node: &'a Node,
        writer: &'a Writer,
        cause: Cause,
        watch: &'a mut dyn FnMut(&Step),
    ) -> Self {
        Self {
            node,
            writer,
            watch,
            cause,
            brought: None,
            cgroup: None,
            record: None,
            event: None,
            shared: None,
            lever: None,
            order: Order::default(),
            resident: BTreeSet::new(),
            programs: Programs::new(),
            built: Vec::new(),
            tables: None,
            removed: Removed::default(),
            concern: None,
            existing: ExistingCount::default(),
            troubles: Vec::new(),
        }
    }

    pub(crate) fn bringing(mut self, brought: Brought<'a>) -> Self {
        self.brought = Some(brought);
        self
    }

    pub(crate) fn on(mut self, cgroup: Option<&'a Cgroup>) -> Self {
        self.cgroup = cgroup;
        self
    }

    pub(crate) fn closing(mut self, concern: Option<Concern>) -> Self {
        self.concern = concern;
        self
    }

    pub(crate) fn recording(mut self, record: Option<Record>, event: Option<Event>) -> Self {
        (self.record, self.event) = (record, event);
        self
    }

    /// Goes on from what is loaded; the cell is mapped here, so that the commit cannot fail for it.
    pub(crate) fn from(mut self, loaded: Loaded) -> Result<Self, Error> {
        self.lever = Some(loaded.shared.lever(self.writer)?);
        self.shared = Some(loaded.shared);
        self.order = loaded.order;
        self.resident = loaded.resident.into_keys().collect();
        Ok(self)
    }

    /// Performs a plan. On an error everything is as it was, but for the mends and the eviction that
    /// [`Plan::before`] names; what fails after the commit is in [`Done::troubles`].
    pub(crate) fn run(mut self, plan: &Plan) -> Result<Done, Error> {
        for step in plan.before.iter().chain(&plan.commit) {
            if let Err(error) = self.perform(step) {
                return Err(self.undone(error));
            }
        }
        for step in plan.provisional.iter().chain(&plan.settled) {
            let trouble = self.perform(step).err();
            self.troubles.extend(trouble);
        }
        Ok(Done {
            record: self.record,
            resident: self.resident.into_iter().collect(),
            removed: self.removed,
            existing: self.existing,
            troubles: self.troubles,
        })
    }

    /// Undoes what was done, and tells what kept it from being done. What recovery cannot do now, the next
    /// command does: it comes from the same pins.
    fn undone(self, error: Error) -> Error {
        let left = Found::read(self.writer).and_then(|found| recover(self.writer, found)).err();
        let recorded = match self.event {
            Some(event) => self.node.state.remember(&event.failed(&error)).err(),
            None => None,
        };
        let beside: Vec<_> = left.into_iter().chain(recorded.map(Error::from)).collect();
        if beside.is_empty() { error } else { Error::Undone { error: Box::new(error), beside } }
    }

    fn perform(&mut self, step: &Step) -> Result<(), Error> {
        (self.watch)(step);
        let writer = self.writer;
        match step {
            Step::Create { slots } => {
                let shared = Shared::create(writer, *slots)?;
                self.lever = Some(shared.lever(writer)?);
                self.shared = Some(shared);
            }
            Step::Load => self.load()?,
            Step::Build { table, .. } => {
                let built = build(*table, self.entries(*table)?.as_ref())?;
                self.built.push(built);
            }
            Step::Seal => self.seal()?,
            Step::Keep { generation } => {
                let Brought { image, set, .. } = self.brought()?;
                let loaded = LoadedAs { generation: *generation, ..LoadedAs::from(self.record()?) };
                self.node.state.prepare(image, set, &loaded)?;
            }
            Step::Pin { generation } => self.tables()?.pin(writer, &Folder::Staged(*generation))?,
            Step::Wait => self.wait()?,
            Step::Insert { slot, emptied } => {
                self.shared()?.put(writer, *slot, self.tables()?.maps(), emptied)?;
            }
            Step::Attach { hook } => self.attach(*hook)?,
            Step::Replace { hook } => self.replace(*hook)?,
            Step::Announce { generation } => self.order.announce(writer, self.cause, *generation)?,
            Step::Flip { generation, slot } => {
                self.lever()?.flip(writer, Cell::new(*generation, *slot));
                self.resident.insert(*generation);
            }
            Step::Close => {
                self.lever()?.flip(writer, Cell::EMPTY);
                self.resident.clear();
            }
            Step::Disconnect => self.disconnect()?,
            Step::Amend { generation } => {
                let value = self.record()?.to_value(&self.brought()?.resolved.tables.meta)?;
                inner::amend(writer, &Folder::Resident(*generation), &value)?;
            }
            Step::Settle { generation } => {
                writer.rename(&Folder::Staged(*generation), &Folder::Resident(*generation))?;
            }
            Step::Demote { generation } => {
                writer.rename(&Folder::Resident(*generation), &Folder::Demoted(*generation))?;
                self.resident.remove(generation);
            }
            Step::Discard { generation } => drop(writer.remove(&Folder::Demoted(*generation))?),
            Step::Uncount => self.uncount()?,
            Step::Tidy => settle_programs(writer)?,
            Step::Detach { hook } => self.removed.links += detach(writer, *hook)?,
            Step::Unpin => unpin(writer, &mut self.removed)?,
            Step::Remember => {
                if let Some(event) = &self.event {
                    self.node.state.remember(event)?;
                    // Lines that are no events are said by whoever adds one.
                    self.node.state.history()?.trouble.map_or(Ok(()), Err)?;
                }
            }
            Step::Prune => {
                let resident: Vec<_> = self.resident.iter().copied().collect();
                self.node.state.prune(&resident)?;
            }
        }
        Ok(())
    }

    fn load(&mut self) -> Result<(), Error> {
        self.programs = programs(self.writer, self.shared()?)?;
        if let (Some(record), Some(_)) = (&mut self.record, &self.brought) {
            let tag = |(hook, program): (&Hook, &Program)| (hook.name().to_owned(), program.tag());
            record.tags = self.programs.iter().map(tag).collect();
        }
        Ok(())
    }

    fn seal(&mut self) -> Result<(), Error> {
        let tables = InnerMaps::new(std::mem::take(&mut self.built));
        let (expected, found) = (self.brought()?.resolved.digest, tables.digest()?);
        if expected != found {
            return Err(Error::ReadBack { expected, found });
        }
        tables.freeze()?;
        self.tables = Some(tables);
        Ok(())
    }

    /// A table's entries; `meta` gets the record behind the programs' part.
    fn entries(&self, table: Table) -> Result<Cow<'a, Packed>, Error> {
        let resolved = self.brought()?.resolved;
        let packed = entries_of(&resolved.packed, table).ok_or(Error::NothingLoaded)?;
        Ok(match table {
            Table::Frontends | Table::Backends | Table::Members | Table::Filter => Cow::Borrowed(packed),
            Table::Meta => {
                let values = self.record()?.to_value(&resolved.tables.meta)?;
                Cow::Owned(Packed { value_size: META_SIZE, values, ..packed.clone() })
            }
        })
    }

    fn attach(&self, hook: Hook) -> Result<(), Error> {
        let services = self.record()?.services;
        let cgroup = self.cgroup.ok_or(Error::NothingLoaded)?;
        let behind = |others| may_run_behind(hook, others, services);
        let link = attach(self.writer, hook, self.program(hook)?, cgroup, behind)?;
        // What is pinned there, if anything, is a link whose cgroup is gone or that is not ours.
        self.writer.unpin(&Folder::Links, hook.name())?;
        let directory = self.writer.make(&Folder::Links)?;
        Ok(self.writer.pin(link.as_fd(), &directory, hook.name())?)
    }

    fn replace(&self, hook: Hook) -> Result<(), Error> {
        let (wanted, maps) = (version_name(&version()), self.shared()?.used_by_programs());
        let cgroup = self.record()?.cgroup_id;
        match state(self.writer, hook, &wanted, cgroup, Some(&maps))? {
            HookState::Current => Ok(()),
            HookState::Outdated { link, program } => {
                Ok(self.writer.replace(&link, &program, self.program(hook)?)?)
            }
            HookState::Missing | HookState::Elsewhere => Err(Error::HookChanged(hook)),
        }
    }

    /// An outer update that changes nothing: the active slot gets the maps that it has. Its return is the
    /// grace period after which a slot that is inactive may be emptied.
    fn wait(&self) -> Result<(), Error> {
        let (shared, cell) = (self.shared()?, self.lever()?.cell());
        let active = cell.generation().ok_or(Error::NothingLoaded)?;
        let tables = InnerMaps::open(self.writer, &Folder::Resident(active), self.writer.access())?;
        let tables = tables.ok_or(Error::NotResident(active))?;
        Ok(shared.put(self.writer, cell.slot(), tables.maps(), &[])?)
    }

    fn disconnect(&mut self) -> Result<(), Error> {
        let concern = self.concern.as_ref().ok_or(Error::NothingLoaded)?;
        let cgroup = self.cgroup.ok_or(Error::NothingLoaded)?;
        let (existing, troubles) = concern.close(self.writer, cgroup);
        self.existing = existing;
        self.troubles.extend(troubles);
        Ok(())
    }

    /// What is counted of a frontend stays while a resident generation has it, so that a rollback finds it. Most of
    /// them the new one has, which is in hand; only for the others the kernel is asked.
    fn uncount(&self) -> Result<(), Error> {
        let Some(counters) = Counters::open(self.writer)? else { return Ok(()) };
        let brought = &self.brought()?.resolved.tables.frontends;
        let mut resident = None;
        counters.forget(self.writer, |key| {
            if brought.binary_search_by_key(key, |(key, _)| *key).is_ok() {
                return Ok(true);
            }
            if resident.is_none() {
                resident = Some(self.resident_tables()?);
            }
            for tables in resident.iter().flatten() {
                if tables.frontend(key)?.is_some() {
                    return Ok(true);
                }
            }
            Ok::<_, Error>(false)
        })
    }

    /// The tables of the resident generations.
    fn resident_tables(&self) -> Result<Vec<InnerMaps>, Error> {
        let mut tables = Vec::new();
        for generation in &self.resident {
            tables.extend(InnerMaps::open(
                self.writer,
                &Folder::Resident(*generation),
                self.writer.access(),
            )?);
        }
        Ok(tables)
    }

    fn program(&self, hook: Hook) -> Result<&Program, Error> {
        Ok(self.programs.get(&hook).ok_or(LoadError::Absent(hook))?)
    }

    fn brought(&self) -> Result<Brought<'a>, Error> {
        self.brought.ok_or(Error::NothingLoaded)
    }

    fn record(&self) -> Result<&Record, Error> {
        self.record.as_ref().ok_or(Error::NothingLoaded)
    }

    fn shared(&self) -> Result<&Shared, Error> {
        self.shared.as_ref().ok_or(Error::NothingLoaded)
    }

    fn lever(&self) -> Result<&Lever, Error> {
        self.lever.as_ref().ok_or(Error::NothingLoaded)
    }

    fn tables(&self) -> Result<&InnerMaps, Error> {
        self.tables.as_ref().ok_or(Error::NothingLoaded)
    }
}

/// Behind a service load balancer, which rewrites a Service's address, our programs would never see it.
pub(crate) fn may_run_behind(hook: Hook, others: usize, services: bool) -> Result<(), Error> {
    if others > 0 && services { Err(Error::Behind { hook, others }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_service_rows_must_come_before_the_neighbours() {
        assert!(may_run_behind(Hook::Connect4, 0, true).is_ok());
        assert!(may_run_behind(Hook::Connect4, 2, false).is_ok());
        let refused = may_run_behind(Hook::Connect4, 2, true);
        assert!(matches!(refused, Err(Error::Behind { hook: Hook::Connect4, others: 2 })));
    }
}
