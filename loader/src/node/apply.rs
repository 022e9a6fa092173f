//! `lrpc apply`: the whole of a map set, swapped in one step.

use std::str::FromStr;

use lrpc_linker::MapSet;
use lrpc_linker::mapset::State;
use lrpc_linker::profile::Mode;
use lrpc_schema::image::{Digest, Image, NotADigest};
use lrpc_schema::records::{Generation, Hook, Table};
use serde::{Serialize, Serializer};

use super::changes::{Before, Changes};
use super::existing::{Concern, Existing, ExistingCount};
use super::loaded::{Found, Loaded};
use super::recover::recover;
use super::room::Room;
use super::status::ActiveStatus;
use super::steps::{self, Need, Plan, SPARE_SLOTS, Situation, Upon};
use super::transaction::{Brought, Done, Transaction, may_run_behind};
use super::{Error, Node, Status, Step};
use crate::clock;
use crate::kernel::cgroup::{Cgroup, is_gone};
use crate::kernel::hooks::{HookState, holder, ids, neighbours, state};
use crate::kernel::object::{version, version_name};
use crate::kernel::order::Cause;
use crate::kernel::pins::Folder;
use crate::kernel::pods::identities;
use crate::kernel::shared::Shared;
use crate::kernel::sys::netns::own_cookie;
use crate::kernel::writer::Reader;
use crate::record::{Facts, Record};
use crate::resolve::{Conduct, Identities, Resolved, resolve};
use crate::state::{Action, Event};

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
    /// What becomes of connections.
    pub conduct: Conduct,
    /// Which network namespace is the node's own.
    pub node_netns: NodeNetns,
}

/// Which network namespace is the node's own: sockets in others are those of pods (L6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeNetns {
    /// The kernel's initial one.
    #[default]
    Initial,
    /// The one that this process is in: of a node that is a container itself.
    Own,
}

/// How many generations stay resident: the active and one earlier.
const KEEP: u16 = 2;

/// What an apply or a rollback did. Serialises as CONTRACT says, but for `diagnostics`.
#[derive(Debug, Serialize)]
pub struct Applied {
    /// What is active.
    #[serde(flatten)]
    pub status: Status,
    /// The generation that was active before.
    pub previous: Option<Generation>,
    /// Another generation is active than before.
    pub changed: bool,
    /// What changed for traffic; `None` where what was active before could not be read.
    pub frontends_changed: Option<Changes>,
    /// What became of existing connections.
    pub existing: ExistingCount,
    /// What failed after the commit. The generation is active all the same, and the next command tries it
    /// again.
    #[serde(serialize_with = "in_words")]
    pub troubles: Vec<Error>,
}

/// Errors with their causes, one text each.
pub(super) fn in_words<S: Serializer>(errors: &[Error], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(errors.iter().map(Error::with_causes))
}

/// What an apply would do.
#[derive(Debug)]
pub struct Preview {
    /// The steps, in order; none where nothing would change.
    pub steps: Vec<Step>,
    /// What would become of the connections that the change concerns, as far as they could be counted.
    pub existing: ExistingCount,
    /// Why some could not.
    pub troubles: Vec<Error>,
}

/// What was found out before the first step.
struct Prepared {
    plan: Plan,
    generation: Generation,
    /// The active generation says the same already.
    is_unchanged: bool,
}

/// What an apply is about.
struct Wanted<'a> {
    options: &'a ApplyOptions,
    cgroup: Cgroup,
    resolved: Resolved,
    services: bool,
    node_netns: Option<u64>,
}

impl Node {
    /// Swaps the node to a map set. `watch` is told each step before it is taken.
    ///
    /// # Errors
    /// [`Error`] says why the active set stays; [`Error::Expectation`] is the one that is a finding. A hook that
    /// was missing may be attached then, a program replaced, and an inactive generation resident no more.
    pub fn apply(
        &self,
        image: &Image,
        set: &MapSet,
        options: &ApplyOptions,
        watch: &mut dyn FnMut(&Step),
    ) -> Result<Applied, Error> {
        let wanted = self.wanted(set, options)?;
        let writer = self.writer()?;
        let found = Found::read(&writer)?;
        self.is_remembered_here(&found)?;
        let memory = self.state.claim(writer.root())?;
        let found = recover(&writer, found)?;
        let Prepared { plan, generation, is_unchanged } = self.prepare(Some(&writer), &found, &wanted)?;
        let Wanted { cgroup, resolved, services, node_netns, .. } = &wanted;
        let facts = Facts {
            generation,
            image: image.digest(),
            digest: set.digest(),
            node: options.node.clone(),
            mode: options.mode,
            cgroup: cgroup.path().to_owned(),
            cgroup_id: cgroup.id(),
            state: self.state.path().to_owned(),
            memory,
            applied_at: clock::now(),
            program: version(),
            services: *services,
            node_netns: *node_netns,
            is_audit: options.conduct == Conduct::Audit,
        };
        let mut record = Record::new(facts, resolved);
        let previous = found.loaded().map(|loaded| loaded.active);
        let mut plan = plan;
        if is_unchanged && let Some(known) = found.loaded().map(Loaded::record).transpose()?.flatten() {
            record.tags.clone_from(&known.tags);
            if record.speaks_as(known) {
                record = known.clone();
                // What was kept of it may have been lost.
                plan = Plan { before: vec![Step::Keep { generation }], ..Plan::default() };
            }
        }
        let event = Event::of(Action::Apply, &record);
        let brought = Brought { image, set, resolved };
        let transaction = Transaction::new(self, &writer, Cause::Apply, watch)
            .bringing(brought)
            .on(Some(cgroup))
            .recording(Some(record), Some(event));
        let before = Before::of(&writer, &found);
        let (concern, trouble) = match options.existing {
            Existing::Close if !is_unchanged => match Concern::of(&found, &resolved.packed) {
                Ok(concern) => (Some(concern), None),
                Err(error) => (None, Some(error)),
            },
            Existing::Close | Existing::Keep => (None, None),
        };
        if concern.is_some() {
            plan = plan.closing();
        }
        let transaction = transaction.closing(concern);
        let transaction = match found {
            Found::Loaded(loaded) => transaction.from(*loaded)?,
            Found::Nothing | Found::Orphaned(_) => transaction,
        };
        let (done, frontends_changed) = match is_unchanged {
            true => (transaction.run(&plan), Some(Changes::default())),
            false => before.beside(&resolved.tables, || transaction.run(&plan)),
        };
        let mut done = done?;
        done.troubles.extend(trouble);
        Ok(Applied { frontends_changed, ..Applied::of(done, previous, !is_unchanged) })
    }

    /// What an apply would do now. Nothing is changed, not even what a loader that died has left.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply), as far as can be known without trying.
    pub fn preview(&self, set: &MapSet, options: &ApplyOptions) -> Result<Preview, Error> {
        let wanted = self.wanted(set, options)?;
        let reader = self.reader()?;
        let found = reader.as_ref().map(Found::read).transpose()?.unwrap_or(Found::Nothing);
        let Prepared { plan, is_unchanged, .. } = self.prepare(reader.as_ref(), &found, &wanted)?;
        if is_unchanged {
            return Ok(Preview {
                steps: Vec::new(),
                existing: ExistingCount::default(),
                troubles: Vec::new(),
            });
        }
        let (concerned, troubles) = match Concern::of(&found, &wanted.resolved.packed) {
            Ok(concern) => concern.count(reader.as_ref(), &wanted.cgroup),
            Err(error) => (0, vec![error]),
        };
        let (plan, existing) = match options.existing {
            Existing::Keep => (plan, ExistingCount { kept: concerned, closed: 0 }),
            Existing::Close => (plan.closing(), ExistingCount { kept: 0, closed: concerned }),
        };
        Ok(Preview { steps: plan.steps().cloned().collect(), existing, troubles })
    }

    /// What is asked for, as far as it does not depend on what is loaded.
    fn wanted<'a>(&self, set: &MapSet, options: &'a ApplyOptions) -> Result<Wanted<'a>, Error> {
        supported(options)?;
        let cgroup = self.cgroup()?;
        let node_netns = match options.node_netns {
            NodeNetns::Initial => None,
            NodeNetns::Own => Some(own_cookie()?),
        };
        let present = identities(cgroup.path(), cgroup.level())?;
        let resolved = resolve(set, options.conduct, &Identities { node_netns, ..present })?;
        let services = set.rows().iter().any(|row| row.service.is_some() && row.state() != State::Original);
        Ok(Wanted { options, cgroup, resolved, services, node_netns })
    }

    /// Finds out what is to be done; `reader` is `None` where there is no instance yet.
    fn prepare(
        &self,
        reader: Option<&Reader>,
        found: &Found,
        wanted: &Wanted<'_>,
    ) -> Result<Prepared, Error> {
        let loaded = found.loaded();
        let active = match loaded.map(Loaded::record) {
            Some(Ok(record)) => record,
            // A record that this lrpc does not understand is as good as another one: its successor replaces it.
            Some(Err(_)) | None => None,
        };
        wanted.options.allows(found, active)?;
        if let Some(holder) = holder(&wanted.cgroup)? {
            return Err(Error::Held(holder));
        }
        let slots = wanted.options.slots(loaded)?;
        let room = match loaded {
            None => Room::default(),
            Some(loaded) => Room::in_loaded(loaded)?,
        };
        let shared = loaded.map(|loaded| &loaded.shared);
        let hooks = needs(reader, wanted, shared, active)?;
        let is_unchanged = active.is_some_and(|record| {
            record.resolved == wanted.resolved.digest
                && record.mode == wanted.options.mode
                && record.cgroup_id == wanted.cgroup.id()
                && hooks.iter().all(|(_, need)| *need == Need::Nothing)
        });
        let generation = match loaded.filter(|_| is_unchanged) {
            Some(loaded) => loaded.active,
            None => self.next_generation(reader, loaded)?,
        };
        if is_unchanged {
            return Ok(Prepared { plan: steps::plan_amendment(generation), generation, is_unchanged });
        }
        let upon = match found {
            Found::Nothing => Upon::Nothing,
            Found::Orphaned(_) => Upon::Orphaned,
            Found::Loaded(_) => Upon::Active,
        };
        let situation = Situation {
            upon,
            generation,
            room,
            slots,
            active: loaded.map(|loaded| loaded.active),
            resident: loaded.map(Loaded::numbers).unwrap_or_default(),
            hooks,
            entries: Table::ALL.map(|table| wanted.resolved.tables.entries(table)),
        };
        Ok(Prepared { plan: steps::plan(&situation), generation, is_unchanged })
    }

    /// One more than any number that the kernel or the history has seen: numbers ascend, and none comes back.
    /// The history is only memory: where it leaves no number, the kernel's count alone.
    fn next_generation(&self, reader: Option<&Reader>, loaded: Option<&Loaded>) -> Result<Generation, Error> {
        let mut highest = loaded.map(|loaded| loaded.active);
        if let Some(reader) = reader {
            for folder in [Folder::Generations, Folder::Staging, Folder::Surplus] {
                highest = highest.max(reader.numbers(&folder)?.last().copied());
            }
        }
        let seen = highest.map_or(Some(Generation::FIRST), Generation::next);
        let remembered = self.remembered()?.and_then(Generation::next);
        seen.max(remembered).ok_or(Error::NoNumber)
    }

    /// The highest number in the history.
    fn remembered(&self) -> Result<Option<Generation>, Error> {
        Ok(self.state.history()?.events.iter().map(|event| event.generation).max())
    }
}

/// What each hook needs for this binary's programs to run on the wanted cgroup, before whoever rewrites a
/// Service's address. `Nothing` everywhere also says that the program version is this binary's. Where there is
/// no instance yet, every hook is missing.
fn needs(
    reader: Option<&Reader>,
    wanted: &Wanted<'_>,
    shared: Option<&Shared>,
    active: Option<&Record>,
) -> Result<Vec<(Hook, Need)>, Error> {
    let Some(reader) = reader else {
        return Ok(Hook::ALL.map(|hook| (hook, Need::Attach)).to_vec());
    };
    let (version, maps) = (version_name(&version()), shared.map(Shared::used_by_programs));
    let mut needs = Vec::new();
    for hook in Hook::ALL {
        let maps = maps.as_deref();
        let need = match state(reader, hook, &version, wanted.cgroup.id(), maps)? {
            HookState::Current => Need::Nothing,
            HookState::Outdated { .. } => Need::Replace,
            HookState::Missing => Need::Attach,
            // The links of a cgroup that is gone serve nobody but sockets that outlived it.
            HookState::Elsewhere
                if active.is_some_and(|record| is_gone(record.cgroup.as_ref(), record.cgroup_id)) =>
            {
                Need::Attach
            }
            HookState::Elsewhere => {
                return Err(Error::OtherCgroup {
                    loaded: active.map(|record| record.cgroup.clone()).unwrap_or_default(),
                    wanted: wanted.cgroup.path().to_owned(),
                });
            }
        };
        if need != Need::Attach {
            let beside = neighbours(&wanted.cgroup, hook, &ids(reader, hook)?)?;
            may_run_behind(hook, beside.before, wanted.services)?;
        }
        needs.push((hook, need));
    }
    Ok(needs)
}

impl ApplyOptions {
    /// Whether the node is in a state that these options mean.
    fn allows(&self, found: &Found, active: Option<&Record>) -> Result<(), Error> {
        let digest = active.map(|record| record.digest);
        let is_nothing = matches!(found, Found::Nothing);
        match (self.expect, active) {
            (Some(Expect::Nothing), _) if !is_nothing => {
                Err(Error::Expectation { expected: None, found: digest })
            }
            (Some(Expect::Digest(expected)), _) if digest != Some(expected) => {
                Err(Error::Expectation { expected: Some(expected), found: digest })
            }
            (None, Some(record)) if record.node != self.node => Err(Error::OtherNode {
                loaded: record.node.clone(),
                wanted: self.node.clone(),
                digest: record.digest,
            }),
            _ => Ok(()),
        }
    }

    /// How many slots each outer map has, or gets.
    fn slots(&self, loaded: Option<&Loaded>) -> Result<u16, Error> {
        match (loaded, self.keep) {
            (None, keep) => Ok(keep.unwrap_or(KEEP).max(1).saturating_add(SPARE_SLOTS)),
            (Some(loaded), keep) => {
                let fixed = loaded.shared.slots().saturating_sub(SPARE_SLOTS);
                match keep {
                    Some(wanted) if wanted != fixed => Err(Error::Keep { fixed, wanted }),
                    _ => Ok(loaded.shared.slots()),
                }
            }
        }
    }
}

impl Applied {
    /// What was done, as it is known without asking again.
    pub(super) fn of(done: Done, previous: Option<Generation>, changed: bool) -> Self {
        let Done { record, resident, existing, troubles, .. } = done;
        let hooks = Hook::ALL.iter().map(ToString::to_string).collect();
        let active = record.map(|record| ActiveStatus::of(&record, resident, hooks));
        let status = Status { is_active: active.is_some(), active, ..Status::default() };
        Self { status, previous, changed, frontends_changed: None, existing, troubles }
    }
}

fn supported(options: &ApplyOptions) -> Result<(), Error> {
    match options.mode {
        Mode::Full | Mode::Socket => Ok(()),
        mode @ (Mode::HostOnly | Mode::PodsOnly) => Err(Error::NotInThisVersion(format!("--mode {mode}"))),
    }
}
