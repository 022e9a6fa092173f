//! `lrpc apply`: the whole of a map set, swapped in one step.

use std::collections::BTreeMap;
use std::str::FromStr;

use lrpc_schema::image::{Digest, Image, NotADigest};
use lrpc_schema::records::TABLES;
use serde::Serialize;

use super::recover::recover;
use super::steps::{self, Need, SPARE_SLOTS, Situation};
use super::transaction::{Published, Transaction};
use super::{Error, Loaded, Node, Status, Step};
use crate::clock;
use crate::kernel::cgroup::Cgroup;
use crate::kernel::generation::Generation;
use crate::kernel::hooks::{HOOKS, HookState, Programs, holder, state};
use crate::kernel::instance::Instance;
use crate::kernel::object::{version, version_name};
use crate::kernel::pins;
use crate::record::{Coverage, Record};
use crate::resolve::{Resolved, resolve};
use crate::state::{Action, Event, LoadedAs, Outcome};
use lrpc_linker::mapset::MapSet;
use lrpc_linker::profile::{Mode, Profile, Warning};

/// What becomes of connections that exist (L10). This version keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// They stay where they are.
    #[default]
    Keep,
    /// Those whose frontend changed or whose backend is gone are closed.
    Close,
}

/// The state in which a node must be for an apply to go on: `none`, or a linked digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing is loaded.
    Nothing,
    /// A generation with this linked digest is active.
    Digest(Digest),
}

impl FromStr for Expect {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        if text == "none" { Ok(Self::Nothing) } else { text.parse().map(Self::Digest) }
    }
}

/// How to apply.
#[derive(Clone, Debug, Default)]
pub struct ApplyOptions {
    /// The node that the map set was linked for.
    pub node: String,
    /// Where the hooks act.
    pub mode: Mode,
    /// What becomes of connections that exist.
    pub existing: Existing,
    /// The state in which the node must be.
    pub expect: Option<Expect>,
    /// How many generations stay resident, the active one among them; fixed at the first load, 2 if `None`.
    pub keep: Option<u16>,
}

/// How many generations stay resident: the active and one earlier.
const KEEP: u16 = 2;

/// What became of existing connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExistingCount {
    /// How many stayed.
    pub kept: u64,
    /// How many were closed.
    pub closed: u64,
}

/// What an apply or a rollback did. Serialises as CONTRACT says, but for `diagnostics`.
#[derive(Debug, Serialize)]
pub struct Applied {
    /// What is active.
    #[serde(flatten)]
    pub status: Status,
    /// The generation that was active before.
    pub previous: Option<u64>,
    /// Another generation is active than before.
    pub changed: bool,
    /// What became of existing connections.
    pub existing: ExistingCount,
    /// What this version's data path does not carry.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
    /// What failed after the flip. The new generation is active all the same.
    #[serde(skip)]
    pub troubles: Vec<Error>,
}

/// What an apply would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The steps, in order; none where nothing would change.
    pub steps: Vec<Step>,
    /// What this version's data path does not carry.
    pub warnings: Vec<Warning>,
}

/// What was found out before the first step.
struct Prepared {
    situation: Situation,
    /// The active generation says the same already.
    unchanged: bool,
}

impl Node {
    /// Swaps the node to a map set. `watch` is told each step before it is taken.
    ///
    /// # Errors
    /// [`Error`] says why nothing changed; [`Error::Expectation`] is the one that is a finding.
    pub fn apply(
        &self,
        image: &Image,
        set: &MapSet,
        options: &ApplyOptions,
        watch: &mut dyn FnMut(&Step),
    ) -> Result<Applied, Error> {
        supported(options)?;
        let resolved = resolve(set, Profile::new(options.mode))?;
        let cgroup = self.cgroup()?;
        self.apply_resolved(image, set, resolved, &cgroup, options, watch)
    }

    fn apply_resolved(
        &self,
        image: &Image,
        set: &MapSet,
        resolved: Resolved,
        cgroup: &Cgroup,
        options: &ApplyOptions,
        watch: &mut dyn FnMut(&Step),
    ) -> Result<Applied, Error> {
        let lock = Instance::make(self.pins.root(), self.state.path())?.lock_exclusive()?;
        let loaded = recover(&lock, &self.pins)?;
        self.state.claim(lock.dir())?;
        let prepared = self.prepare(cgroup, loaded.as_ref(), &resolved, options)?;
        let generation = prepared.situation.generation;
        let record = Record {
            generation,
            image: image.digest(),
            digest: set.digest(),
            resolved: resolved.digest,
            node: options.node.clone(),
            mode: options.mode,
            coverage: Coverage::All,
            cgroup: cgroup.path().to_owned(),
            cgroup_id: cgroup.id(),
            applied_at: clock::now(),
            lrpc: env!("CARGO_PKG_VERSION").to_owned(),
            program: version(),
            tags: BTreeMap::new(),
            frontends: resolved.frontends,
            backends: resolved.backends,
            left_out: resolved.left_out,
        };
        let loaded_as = LoadedAs::from(&record);
        let previous = prepared.situation.active;
        let mut event = Event {
            generation,
            at: record.applied_at.clone(),
            action: Action::Apply,
            image: record.image,
            digest: record.digest,
            result: Outcome::Ok,
            resident: false,
            error: None,
        };
        if prepared.unchanged
            && let Some(loaded) = loaded
        {
            return self.unchanged(image, record, &loaded, &resolved, set, event);
        }
        let transaction = Transaction {
            lock: &lock,
            pins: &self.pins,
            cgroup,
            resolved: &resolved,
            record,
            services: set.rows().iter().any(|row| row.service.is_some()),
            shared: loaded.map(|loaded| loaded.shared),
            watch,
            programs: Programs::new(),
            built: Vec::new(),
            tables: None,
        };
        let published = transaction.stage(steps::plan(&prepared.situation)).and_then(|staged| {
            match self.state.prepare(image, set, &loaded_as) {
                Ok(()) => staged.publish(),
                Err(error) => staged.abandon().and(Err(error.into())),
            }
        });
        let Published { mut troubles } = match published {
            Ok(published) => published,
            Err(error) => {
                (event.result, event.error) = (Outcome::Failed, Some(error.with_causes()));
                // The failure itself is what the user must hear of.
                let _ = self.state.remember(&event);
                return Err(error);
            }
        };
        match self.state.remember(&event).and_then(|()| self.state.history()) {
            Ok(history) => troubles.extend(history.trouble.map(Error::from)),
            Err(error) => troubles.push(error.into()),
        }
        let loaded = Loaded::read(&self.pins)?;
        let resident = loaded.as_ref().map(Loaded::numbers).unwrap_or_default();
        troubles.extend(self.state.prune(&resident).err().map(Error::from));
        Ok(Applied {
            status: self.status_of(loaded.as_ref())?,
            previous,
            changed: true,
            existing: ExistingCount::default(),
            warnings: resolved.warnings,
            troubles,
        })
    }

    /// What an apply would do now. Nothing is changed, not even what a loader that died has left.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply), as far as can be known without trying.
    pub fn preview(&self, set: &MapSet, options: &ApplyOptions) -> Result<Preview, Error> {
        supported(options)?;
        let resolved = resolve(set, Profile::new(options.mode))?;
        let cgroup = self.cgroup()?;
        let read = self.read()?;
        let prepared = self.prepare(&cgroup, read.as_ref().map(|(_, loaded)| loaded), &resolved, options)?;
        let steps = if prepared.unchanged { Vec::new() } else { steps::plan(&prepared.situation) };
        Ok(Preview { steps, warnings: resolved.warnings })
    }

    fn prepare(
        &self,
        cgroup: &Cgroup,
        loaded: Option<&Loaded>,
        resolved: &Resolved,
        options: &ApplyOptions,
    ) -> Result<Prepared, Error> {
        let active = loaded.and_then(Loaded::record);
        let found = active.map(|record| record.digest);
        match options.expect {
            Some(Expect::Nothing) if loaded.is_some() => {
                return Err(Error::Expectation { expected: None, found });
            }
            Some(Expect::Digest(expected)) if found != Some(expected) => {
                return Err(Error::Expectation { expected: Some(expected), found });
            }
            _ => {}
        }
        if let Some(holder) = holder(cgroup)? {
            return Err(Error::Held(holder));
        }
        let slots = match (loaded, options.keep) {
            (None, keep) => keep.unwrap_or(KEEP).max(1).saturating_add(SPARE_SLOTS),
            (Some(loaded), keep) => {
                let fixed = loaded.shared.slots().saturating_sub(SPARE_SLOTS);
                match keep {
                    Some(wanted) if wanted != fixed => return Err(Error::Keep { fixed, wanted }),
                    _ => loaded.shared.slots(),
                }
            }
        };
        let (slot, evicted) = match loaded {
            None => (0, None),
            Some(loaded) => {
                let resident = loaded.resident.iter().map(|(&number, one)| (number, one.slot)).collect();
                steps::room(&loaded.shared.occupants()?, &resident, loaded.active).ok_or(Error::NoSlot)?
            }
        };
        let hooks = self.needs(cgroup, active)?;
        let unchanged = active.is_some_and(|record| {
            record.resolved == resolved.digest
                && record.mode == options.mode
                && record.cgroup_id == cgroup.id()
                && hooks.iter().all(|(_, need)| *need == Need::Nothing)
        });
        let situation = Situation {
            first: loaded.is_none(),
            generation: self.next_generation(loaded)?,
            slot,
            evicted,
            slots,
            active: loaded.map(|loaded| loaded.active),
            resident: loaded.map(Loaded::numbers).unwrap_or_default(),
            hooks,
            entries: TABLES.map(|table| resolved.tables.entries(table)),
        };
        Ok(Prepared { situation, unchanged })
    }

    /// What each hook needs for this binary's programs to run on `cgroup`. `Nothing` everywhere also says
    /// that the program version is this binary's.
    fn needs(&self, cgroup: &Cgroup, active: Option<&Record>) -> Result<Vec<(&'static str, Need)>, Error> {
        let wanted = version_name(&version());
        let mut needs = Vec::new();
        for hook in HOOKS {
            let need = match state(&self.pins, hook, &wanted, cgroup.id())? {
                HookState::Current => Need::Nothing,
                HookState::Outdated { .. } => Need::Replace,
                HookState::Missing => Need::Attach,
                HookState::Elsewhere => {
                    return Err(Error::OtherCgroup {
                        loaded: active.map(|record| record.cgroup.clone()).unwrap_or_default(),
                        wanted: cgroup.path().to_owned(),
                    });
                }
            };
            needs.push((hook.name, need));
        }
        Ok(needs)
    }

    /// One more than any number that the kernel or the history has seen: numbers ascend, and none comes back.
    fn next_generation(&self, loaded: Option<&Loaded>) -> Result<u64, Error> {
        let mut highest = loaded.map_or(0, |loaded| loaded.active);
        for directory in [self.pins.generations(), self.pins.staging()] {
            highest = highest.max(pins::numbers(&directory)?.last().copied().unwrap_or(0));
        }
        let remembered = self.state.history()?.events.iter().map(|event| event.generation).max();
        Ok(highest.max(remembered.unwrap_or(0)) + 1)
    }

    /// Records an image that resolves to the bytes of the active generation.
    fn unchanged(
        &self,
        image: &Image,
        record: Record,
        loaded: &Loaded,
        resolved: &Resolved,
        set: &MapSet,
        event: Event,
    ) -> Result<Applied, Error> {
        let mut troubles = Vec::new();
        let generation = loaded.active;
        self.state.prepare(image, set, &LoadedAs { generation, ..LoadedAs::from(&record) })?;
        if let Some(known) = loaded.record()
            && (known.image, known.digest, &known.node, known.left_out)
                != (record.image, record.digest, &record.node, record.left_out)
        {
            let record = Record { generation, tags: known.tags.clone(), ..record };
            Generation::amend(&self.pins.resident(generation), &record.to_value(&resolved.tables.meta)?)?;
            troubles.extend(self.state.remember(&Event { generation, ..event }).err().map(Error::from));
        }
        Ok(Applied {
            status: self.status_of(Loaded::read(&self.pins)?.as_ref())?,
            previous: Some(generation),
            changed: false,
            existing: ExistingCount::default(),
            warnings: resolved.warnings.clone(),
            troubles,
        })
    }
}

fn supported(options: &ApplyOptions) -> Result<(), Error> {
    match (options.mode, options.existing) {
        (Mode::Full, Existing::Keep) => Ok(()),
        (Mode::Full, Existing::Close) => Err(Error::NotInThisVersion("--existing close".to_owned())),
        (mode, _) => Err(Error::NotInThisVersion(format!("--mode {mode}"))),
    }
}
