//! Pods that what is active was linked with, and that are gone from this node.

use std::collections::BTreeSet;

use lrpc_linker::MapSet;
use lrpc_linker::mapset::PodRef;

use super::loaded::Loaded;
use super::verify::cgroup_of;
use super::{Error, Node};
use crate::kernel::pods::identities;
use crate::record::Record;
use crate::resolve::Identities;

impl Node {
    /// The pods of the active set that are gone from this node. A set that the state directory has lost, or
    /// whose keeping was damaged, names none: `doctor` says so.
    pub(super) fn gone_pods(&self, loaded: &Loaded, record: &Record) -> Result<Vec<String>, Error> {
        let Some(present) = self.present_pods(record)? else { return Ok(Vec::new()) };
        Ok(self.linked_set(loaded, record).map_or_else(Vec::new, |set| gone(&set, &present)))
    }

    /// The same; `None` where the state directory does not say what the active set is.
    pub(super) fn known_gone_pods(
        &self,
        loaded: &Loaded,
        record: &Record,
    ) -> Result<Option<Vec<String>>, Error> {
        let Some(set) = self.linked_set(loaded, record) else { return Ok(None) };
        let present = self.present_pods(record)?;
        Ok(Some(present.map_or_else(Vec::new, |present| gone(&set, &present))))
    }

    /// The pods below a record's cgroup; `None` where that cannot be seen.
    pub(super) fn present_pods(&self, record: &Record) -> Result<Option<Identities>, Error> {
        let Some(cgroup) = cgroup_of(self, record) else { return Ok(None) };
        Ok(Some(identities(cgroup.path(), cgroup.level())?))
    }

    /// What ran on this node when a record's generation was made, as far as it still runs.
    pub(super) fn identities_of(&self, record: &Record) -> Result<Identities, Error> {
        let present = self.present_pods(record)?.unwrap_or_default();
        Ok(Identities { node_netns: record.node_netns, ..present })
    }

    /// The active set as the state directory keeps it; `None` where it does not.
    pub(super) fn linked_set(&self, loaded: &Loaded, record: &Record) -> Option<MapSet> {
        self.state.kept_set(loaded.active, record.digest).ok().flatten()
    }
}

/// The pods of a set that are not among those present, sorted; none where there is no kubelet's tree.
fn gone(set: &MapSet, present: &Identities) -> Vec<String> {
    let Some(present) = present.uids() else { return Vec::new() };
    let mut gone = BTreeSet::new();
    for row in set.rows() {
        let pods = row.backends().iter().flat_map(|backend| &backend.pods).chain(row.skip.iter());
        let is_gone = |pod: &&PodRef| pod.uid.as_ref().is_some_and(|uid| !present.contains(&**uid));
        gone.extend(pods.filter(is_gone).map(ToString::to_string));
    }
    gone.into_iter().collect()
}
