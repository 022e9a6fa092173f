//! The sets of pods that rows speak of, each told once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use lrpc_linker::mapset::{PodRef, Row};
use lrpc_schema::image::{Clients, Fallback};
use lrpc_schema::records::{Audience, ClientKind, Levels, MemberKey, SetId};

use super::identities::{Identities, Place, Unidentified};

/// Collects the sets of a map set's rows.
#[derive(Debug)]
pub(super) struct Members<'a> {
    identities: &'a Identities,
    keys: BTreeSet<MemberKey>,
    /// Equal lists are one set; most rows of a policy share one list.
    sets: HashMap<Arc<[PodRef]>, SetId>,
    pods: Levels,
    trees: Levels,
}

/// The sets, and at which levels of the cgroup tree their members are.
pub(super) struct Collected {
    pub(super) keys: Vec<MemberKey>,
    pub(super) pods: Levels,
    pub(super) trees: Levels,
}

impl<'a> Members<'a> {
    pub(super) fn new(identities: &'a Identities) -> Self {
        Self {
            identities,
            keys: BTreeSet::new(),
            sets: HashMap::new(),
            pods: Levels::default(),
            trees: Levels::default(),
        }
    }

    pub(super) fn collected(self) -> Collected {
        Collected { keys: self.keys.into_iter().collect(), pods: self.pods, trees: self.trees }
    }

    /// Whom a row concerns. A policy that says `fallback: drop` lists those of its namespace's pods that are no
    /// clients, so that a pod which started after the link is one (L6).
    pub(super) fn audience(&mut self, row: &Row) -> Result<Audience, Unidentified> {
        let (kind, clients) = match (&row.clients, row.fallback) {
            (Clients::All, _) => (ClientKind::All, SetId::default()),
            (Clients::Pods, _) => (ClientKind::OtherNetns, SetId::default()),
            (Clients::AllPods, _) => (ClientKind::Pods, SetId::default()),
            (Clients::Namespace | Clients::Selector(_), Fallback::Original) => {
                (ClientKind::Members, self.set(row, &row.client_pods)?)
            }
            (Clients::Namespace | Clients::Selector(_), Fallback::Drop) => {
                (ClientKind::OtherPods, self.set(row, &row.client_pods)?)
            }
        };
        if matches!(kind, ClientKind::Pods | ClientKind::OtherPods) {
            self.trees(row)?;
        }
        self.backends_are_known(row)?;
        let exempt = match row.skip.is_empty() {
            true => None,
            false => Some(self.set(row, &row.skip)?),
        };
        Ok(Audience { kind, clients, exempt })
    }

    /// A ready backend that is not exempt would be redirected to itself.
    fn backends_are_known(&self, row: &Row) -> Result<(), Unidentified> {
        let mut ready = row.backends().iter().filter(|_| row.skip_flag).flat_map(|backend| &backend.pods);
        match ready.find(|pod| self.places(pod).is_empty()) {
            None => Ok(()),
            Some(pod) => Err(Unidentified::Backend { policy: row.policy.clone(), pod: pod.to_string() }),
        }
    }

    fn places(&self, pod: &PodRef) -> &'a [Place] {
        let identities = self.identities;
        let places = pod.uid.as_deref().and_then(|uid| identities.pods.get(uid));
        places.map_or(&[], Vec::as_slice)
    }

    /// The set of a list of pods. One that has no cgroup yet runs nothing yet.
    fn set(&mut self, row: &Row, list: &Arc<[PodRef]>) -> Result<SetId, Unidentified> {
        if let Some(set) = self.sets.get(list) {
            return Ok(*set);
        }
        let next = u32::try_from(self.sets.len()).unwrap_or(u32::MAX).saturating_add(1);
        let set = SetId::new(next);
        for pod in list.iter() {
            for place in self.places(pod) {
                self.pods = with(self.pods, place, row)?;
                self.keys.insert(MemberKey::new(place.cgroup, set));
            }
        }
        self.sets.insert(list.clone(), set);
        Ok(set)
    }

    /// The kubelet's trees as a set.
    fn trees(&mut self, row: &Row) -> Result<(), Unidentified> {
        if self.identities.trees.is_empty() {
            return Err(Unidentified::NoTree { policy: row.policy.clone() });
        }
        for place in &self.identities.trees {
            self.trees = with(self.trees, place, row)?;
            self.keys.insert(MemberKey::new(place.cgroup, SetId::TREES));
        }
        Ok(())
    }
}

fn with(levels: Levels, place: &Place, row: &Row) -> Result<Levels, Unidentified> {
    let policy = || row.policy.clone();
    let level = place.level.ok_or_else(|| Unidentified::NoRoot { policy: policy() })?;
    levels.with(level).ok_or_else(|| Unidentified::TooManyLevels { policy: policy() })
}
