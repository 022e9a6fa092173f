//! The names behind numbers: of policies, of cgroups and of the pods that they are of.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lrpc_linker::mapset::PodRef;
use lrpc_schema::records::{FrontendKey, Generation};
use serde::Serialize;

use super::counters::key;
use super::loaded::{Found, Loaded};
use super::verify::cgroup_of;
use super::{Error, Node};
use crate::kernel::cgroup::Cgroup;
use crate::kernel::pods::{Named, names};
use crate::kernel::writer::Reader;

/// Whose a process or a socket is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// The directory of its cgroup; `None` where it is not below `--cgroup`, or gone.
    pub cgroup: Option<String>,
    /// The UID of the pod that the cgroup is of.
    pub pod_uid: Option<String>,
    /// That pod, `NAMESPACE/NAME`, where the active set names it.
    pub pod: Option<String>,
}

/// What is known of names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Of which generation; `None` where that could not be found out.
    generation: Option<Generation>,
    policies: HashMap<FrontendKey, String>,
    /// By UID.
    pods: HashMap<String, String>,
    /// The redirected cgroup, where it can be seen from here.
    root: Option<Cgroup>,
    cgroups: HashMap<u64, Named>,
    /// When the cgroups were looked at.
    looked: Option<Instant>,
}

/// How often cgroups are looked for that are not known.
const PAUSE: Duration = Duration::from_secs(1);

impl Node {
    /// What is loaded, where that can be named.
    pub(super) fn loaded(&self, reader: &Reader) -> Result<Box<Loaded>, Error> {
        match Found::read(reader)? {
            Found::Nothing => Err(Error::NothingLoaded),
            Found::Orphaned(map) => Err(Error::Orphaned(map)),
            Found::Loaded(loaded) => Ok(loaded),
        }
    }
}

impl Names {
    /// Learns the names of what is loaded. Those of before stay known: a decision is told a little later.
    pub(super) fn learn(&mut self, node: &Node, loaded: &Loaded) -> Result<(), Error> {
        let record = loaded.record()?.ok_or(Error::NotResident(loaded.active))?;
        self.generation = Some(loaded.active);
        self.root = cgroup_of(node, record);
        let set = node.linked_set(loaded, record);
        for row in set.iter().flat_map(|set| set.rows()) {
            self.policies.insert(key(row), row.policy.to_string());
            let served = row.backends().iter().flat_map(|backend| &backend.pods);
            let pods = served.chain(row.skip.iter()).chain(row.client_pods.iter());
            let named = |pod: &PodRef| Some((pod.uid.as_deref()?.to_owned(), pod.to_string()));
            self.pods.extend(pods.filter_map(named));
        }
        Ok(())
    }

    /// The same where another generation is active. Where a loader is at work, it is tried again later: names are
    /// beside the point.
    pub(super) fn refresh(&mut self, node: &Node, active: Generation) {
        if self.generation != Some(active)
            && let Ok(Some(reader)) = node.reader()
            && let Ok(loaded) = node.loaded(&reader)
        {
            let _ = self.learn(node, &loaded);
        }
    }

    /// The policy that speaks of a frontend.
    pub(super) fn policy(&self, frontend: &FrontendKey) -> Option<String> {
        self.policies.get(frontend).cloned()
    }

    /// Whose a cgroup is. One that is not known yet is looked for, at most once in a while.
    pub(super) fn of_cgroup(&mut self, number: u64) -> Result<Owner, Error> {
        if let Some(root) = &self.root
            && !self.cgroups.contains_key(&number)
            && self.looked.is_none_or(|looked| looked.elapsed() >= PAUSE)
        {
            self.cgroups.extend(names(root.path())?);
            self.looked = Some(Instant::now());
        }
        let Some(Named { path, pod }) = self.cgroups.get(&number) else { return Ok(Owner::default()) };
        let name = pod.as_ref().and_then(|uid| self.pods.get(uid)).cloned();
        Ok(Owner { cgroup: Some(path.to_string_lossy().into_owned()), pod_uid: pod.clone(), pod: name })
    }
}

/// A frontend as `ADDR:PORT/PROTO`.
pub(super) fn shown(frontend: &FrontendKey) -> String {
    let address = SocketAddr::new(frontend.address(), frontend.port());
    let protocol = frontend.protocol().map_or("unknown", |protocol| protocol.as_str());
    format!("{address}/{protocol}")
}
