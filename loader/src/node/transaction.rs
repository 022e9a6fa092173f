//! The interpreter of [`Step`]s: stage, then publish.

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use lrpc_schema::records::{Cell, META, META_SIZE};

use super::recover::{recover, settle_programs};
use super::{Error, Step};
use crate::kernel::cgroup::Cgroup;
use crate::kernel::generation::{Generation, build};
use crate::kernel::hooks::{HOOKS, Hook, HookState, Programs, state};
use crate::kernel::instance::Lock;
use crate::kernel::object::{LoadError, programs, version, version_name};
use crate::kernel::pins::{self, Pins};
use crate::kernel::shared::Shared;
use crate::kernel::sys::link::Program;
use crate::kernel::sys::map::Map;
use crate::kernel::sys::pin;
use crate::record::Record;
use crate::resolve::Resolved;
use crate::tables::Packed;

/// What the steps of one apply work on.
pub(crate) struct Transaction<'a> {
    pub(crate) lock: &'a Lock,
    pub(crate) pins: &'a Pins,
    pub(crate) cgroup: &'a Cgroup,
    pub(crate) resolved: &'a Resolved,
    pub(crate) record: Record,
    /// Some row belongs to a Service.
    pub(crate) services: bool,
    pub(crate) shared: Option<Shared>,
    pub(crate) watch: &'a mut dyn FnMut(&Step),
    pub(crate) programs: Programs,
    pub(crate) built: Vec<Map>,
    pub(crate) tables: Option<Generation>,
}

/// A generation written to the kernel that no packet can see yet.
#[must_use = "a staged generation is invisible until `publish`, or discarded by `abandon`"]
pub(crate) struct Staged<'a> {
    transaction: Transaction<'a>,
    rest: Vec<Step>,
}

/// A generation that every connection sees.
pub(crate) struct Published {
    /// What did not work after the flip. The next run of a loader tries it again.
    pub(crate) troubles: Vec<Error>,
}

impl<'a> Transaction<'a> {
    /// Performs the steps before the flip. On an error everything is as it was.
    pub(crate) fn stage(mut self, mut steps: Vec<Step>) -> Result<Staged<'a>, Error> {
        let flip = steps.iter().position(|step| matches!(step, Step::Flip { .. })).unwrap_or(steps.len());
        let rest = steps.split_off(flip);
        for step in &steps {
            if let Err(error) = self.perform(step) {
                // The first error is the one to report; what recovery cannot do now, the next run does.
                let _ = recover(self.lock, self.pins);
                return Err(error);
            }
        }
        Ok(Staged { transaction: self, rest })
    }

    fn perform(&mut self, step: &Step) -> Result<(), Error> {
        (self.watch)(step);
        let pins = self.pins;
        match step {
            Step::Create { slots } => self.shared = Some(Shared::create(pins, *slots)?),
            Step::Load => {
                self.programs = programs(pins)?;
                let tags: BTreeMap<_, _> =
                    self.programs.iter().map(|(hook, program)| ((*hook).to_owned(), program.tag())).collect();
                self.record.tags = tags;
            }
            Step::Build { table, .. } => self.built.push(build(table, &self.entries(table)?)?),
            Step::Seal => {
                let tables = Generation::new(std::mem::take(&mut self.built));
                let (expected, found) = (self.resolved.digest, tables.digest()?);
                if expected != found {
                    return Err(Error::ReadBack { expected, found });
                }
                tables.freeze()?;
                self.tables = Some(tables);
            }
            Step::Pin { generation } => self.tables()?.pin(&pins.staged(*generation))?,
            Step::Wait => self.wait()?,
            Step::Insert { slot } => self.shared()?.put(*slot, self.tables()?.maps())?,
            Step::Attach { hook } => self.attach(hook_named(hook)?)?,
            Step::Replace { hook } => self.replace(hook_named(hook)?)?,
            Step::Flip { generation, slot } => self.shared()?.flip(Cell::new(*generation, *slot)),
            Step::Settle { generation } => {
                pins::rename(&pins.staged(*generation), &pins.resident(*generation))?
            }
            Step::Retire { generation } => self.retire(*generation)?,
            Step::Tidy => settle_programs(pins)?,
        }
        Ok(())
    }

    /// A table's entries; `meta` gets the record behind the programs' part.
    fn entries(&self, table: &str) -> Result<Packed, Error> {
        let packed = self.resolved.tables.packed(table);
        if table != META {
            return Ok(packed);
        }
        let values = self.record.to_value(&self.resolved.tables.meta)?;
        Ok(Packed { value_size: META_SIZE, values, ..packed })
    }

    fn attach(&self, hook: Hook) -> Result<(), Error> {
        let behind = |others| may_run_behind(hook.name, others, self.services);
        let link = hook.attach(self.program(hook)?, self.cgroup, behind)?;
        pins::make(&self.pins.links())?;
        let path = self.pins.link(hook.name);
        // What is pinned there, if anything, is a link whose cgroup is gone or that is not ours.
        pins::remove(&path)?;
        Ok(pin(link.as_fd(), &path)?)
    }

    fn replace(&self, hook: Hook) -> Result<(), Error> {
        let wanted = version_name(&version());
        if let HookState::Outdated { link, program } = state(self.pins, hook, &wanted, self.cgroup.id())? {
            link.replace(&program, self.program(hook)?)?;
        }
        Ok(())
    }

    /// An outer update that changes nothing: the active slot gets the maps that it has. Its return is the
    /// grace period after which a slot that is inactive may be emptied.
    fn wait(&self) -> Result<(), Error> {
        let shared = self.shared()?;
        let cell = shared.active();
        let active = cell.generation().ok_or(Error::NothingLoaded)?;
        let tables = Generation::open(&self.pins.resident(active))?.ok_or(Error::NotResident(active))?;
        Ok(shared.put(cell.slot(), tables.maps())?)
    }

    /// A generation is demoted first, in one rename, so that a half-removed one never looks resident.
    fn retire(&self, generation: u64) -> Result<(), Error> {
        let staged = self.pins.staged(generation);
        pins::rename(&self.pins.resident(generation), &staged)?;
        if let Some(tables) = Generation::open(&staged)? {
            let (shared, ids) = (self.shared()?, tables.ids());
            let slots = (0_u16..).zip(shared.occupants()?).filter(|(_, slot)| *slot == ids);
            shared.clear(&slots.map(|(slot, _)| slot).collect::<Vec<_>>())?;
        }
        pins::remove(&staged)?;
        Ok(())
    }

    fn program(&self, hook: Hook) -> Result<&Program, Error> {
        let absent = || LoadError::Absent(hook.name);
        Ok(self.programs.get(hook.name).ok_or_else(absent)?)
    }

    fn shared(&self) -> Result<&Shared, Error> {
        self.shared.as_ref().ok_or(Error::NothingLoaded)
    }

    fn tables(&self) -> Result<&Generation, Error> {
        self.tables.as_ref().ok_or(Error::NothingLoaded)
    }
}

/// Behind a service load balancer, which rewrites a Service's address, our programs would never see it.
fn may_run_behind(hook: &'static str, others: usize, services: bool) -> Result<(), Error> {
    if others > 0 && services { Err(Error::Behind { hook, others }) } else { Ok(()) }
}

fn hook_named(name: &'static str) -> Result<Hook, Error> {
    let hook = HOOKS.into_iter().find(|hook| hook.name == name);
    Ok(hook.ok_or(LoadError::Absent(name))?)
}

impl Staged<'_> {
    /// Makes the generation the active one. The flip is the commit: what fails after it is not a failure of
    /// the apply.
    pub(crate) fn publish(mut self) -> Result<Published, Error> {
        let mut troubles = Vec::new();
        for step in &self.rest {
            match (step, self.transaction.perform(step)) {
                (_, Ok(())) => {}
                (Step::Flip { .. }, Err(error)) => return Err(error),
                (_, Err(error)) => troubles.push(error),
            }
        }
        Ok(Published { troubles })
    }

    /// Discards the generation: everything is as it was.
    pub(crate) fn abandon(self) -> Result<(), Error> {
        recover(self.transaction.lock, self.transaction.pins).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_service_rows_must_come_before_the_neighbours() {
        assert!(may_run_behind("connect4", 0, true).is_ok());
        assert!(may_run_behind("connect4", 2, false).is_ok());
        let refused = may_run_behind("connect4", 2, true);
        assert!(matches!(refused, Err(Error::Behind { hook: "connect4", others: 2 })));
    }
}
