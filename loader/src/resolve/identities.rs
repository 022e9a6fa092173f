//! By what the kernel tells pods from each other, and from the node itself.

use std::collections::{BTreeMap, BTreeSet};

use lrpc_schema::image::PolicyName;

/// A cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The kernel's number of it.
    pub cgroup: u64,
    /// How far below the root of the host's cgroup2 tree it is; `None` where that root cannot be seen from here.
    pub level: Option<usize>,
}

/// What runs on this node: the only input of `resolve` that no map set holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identities {
    /// The cgroups of pods, by UID. A pod has one in each kubelet's tree that knows it.
    pub pods: BTreeMap<String, Vec<Place>>,
    /// The kubelet's trees (L17).
    pub trees: Vec<Place>,
    /// The cookie of the network namespace that is the node's own; `None` for the kernel's initial one (L6).
    pub node_netns: Option<u64>,
}

impl Identities {
    /// The UIDs of the pods; `None` where there is no kubelet's tree, so that nothing can be said.
    pub fn uids(&self) -> Option<BTreeSet<&str>> {
        (!self.trees.is_empty()).then(|| self.pods.keys().map(String::as_str).collect())
    }
}

/// A map set cannot be carried on this node, because somebody cannot be told from others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unidentified {
    /// A backend that is to be exempt has no cgroup (L8).
    #[error(
        "policy `{policy}` exempts its backends' own traffic, and no cgroup of its ready backend pod `{pod}` is found"
    )]
    Backend {
        /// The policy.
        policy: PolicyName,
        /// The pod, `NAMESPACE/NAME`.
        pod: String,
    },
    /// Pods are to be told from host processes, and there is no kubelet's tree (L6).
    #[error("policy `{policy}` has pods as clients, and there is no kubelet's cgroup tree")]
    NoTree {
        /// The policy.
        policy: PolicyName,
    },
    /// The programs count levels from a root that cannot be seen from here.
    #[error(
        "policy `{policy}` tells pods by their cgroups, and the root of the host's cgroup2 tree is not mounted here"
    )]
    NoRoot {
        /// The policy.
        policy: PolicyName,
    },
    /// More levels than the programs look at.
    #[error("policy `{policy}` tells pods by their cgroups, which are at more levels of the tree than {max}", max = lrpc_schema::records::Meta::LEVELS)]
    TooManyLevels {
        /// The policy.
        policy: PolicyName,
    },
}
