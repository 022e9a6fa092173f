//! From image and inventory to the map set of a node: where the meaning of a policy lives.
//!
//! [`Linker`] does once what no node changes: which frontends each policy speaks of and whose they are
//! ([`claims`], L1). [`Linker::link`] then decides each of them for one node, in L18's order: whether the
//! policy acts there (L7), what may not be taken over (L1, L14), whether its pods can be told apart (L8),
//! and whether it has a usable backend ([`served`], [`selected`], [`backends`]: L4, L9, L15), else its
//! fallback (L5). What the data path decides per connection (L6, L8) goes into the row as lists of pods.
//! [`holes`] finds out why ready pods serve nothing, [`reach`] what a policy's pods are to its Service.
//!
//! It knows no text and no kernel, and never fails on what it finds: a finding stops the rows that it
//! speaks of and no others.

mod backends;
mod claims;
mod holes;
mod policy;
mod reach;
mod selected;
mod served;

use std::sync::Arc;

use ipnet::IpNet;
use lrpc_schema::image::{Image, Policy, PolicyName};

use crate::findings::Finding;
use crate::inventory::{Inventory, Node};
use crate::mapset::{MapSet, PodRef, Row};
use claims::Claims;
use selected::{Selected, client_pods};

pub(crate) use claims::Claim;

/// What one node gets, and what was found on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The rows.
    pub map_set: MapSet,
    /// Sorted by policy, field and code; each once.
    pub findings: Vec<Finding>,
}

/// Policies in one [`Part`].
const PART: usize = 4096;

/// Some of the policies of an image, to be linked for one node.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    node: &'a Node,
    claims: &'a [Claims<'a>],
}

/// What a [`Part`] gives.
#[derive(Clone, Debug)]
pub struct LinkedPart {
    rows: Vec<Row>,
    findings: Vec<Finding>,
}

/// A node cannot be linked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The inventory has no Node of this name.
    #[error("node `{node}` is not in the inventory")]
    NoSuchNode {
        /// The name that was asked for.
        node: String,
    },
}

/// The map set of one node. `narrow` narrows the image's allow-list, never widens it (L14).
///
/// # Errors
/// [`LinkError::NoSuchNode`].
pub fn link(
    image: &Image,
    inventory: &Inventory,
    node: &str,
    narrow: Option<&[IpNet]>,
) -> Result<Linked, LinkError> {
    Linker::new(image, inventory, narrow).link(node)
}

/// An image and an inventory, made ready to link any number of nodes, from any number of threads.
#[derive(Debug)]
pub struct Linker<'a> {
    inventory: &'a Inventory,
    claims: Vec<Claims<'a>>,
    /// L1's findings, which hold on every node, wherever the policies act.
    overlaps: Vec<Finding>,
}

impl<'a> Linker<'a> {
    /// Makes an image ready for an inventory. `narrow` narrows the image's allow-list (L14).
    pub fn new(image: &'a Image, inventory: &'a Inventory, narrow: Option<&[IpNet]>) -> Self {
        let (claims, overlaps) = claims::claims(image, inventory, narrow);
        Self { inventory, claims, overlaps }
    }

    /// The map set of one node.
    ///
    /// # Errors
    /// [`LinkError::NoSuchNode`].
    pub fn link(&self, node: &str) -> Result<Linked, LinkError> {
        let parts = self.parts(node)?.into_iter().map(|part| self.link_part(&part));
        Ok(self.join(parts))
    }

    /// What linking a node consists of: each part can be linked on a thread of its own, and all are
    /// [joined](Self::join) in their order. A small image is one part.
    ///
    /// # Errors
    /// [`LinkError::NoSuchNode`].
    pub fn parts(&self, node: &str) -> Result<Vec<Part<'_>>, LinkError> {
        let no_such_node = || LinkError::NoSuchNode { node: node.into() };
        let node = self.inventory.node(node).ok_or_else(no_such_node)?;
        Ok(self.claims.chunks(PART).map(|claims| Part { node, claims }).collect())
    }

    /// Links one part.
    pub fn link_part(&self, part: &Part<'_>) -> LinkedPart {
        let mut rows = Vec::with_capacity(part.claims.iter().map(|claims| claims.frontends.len()).sum());
        let mut findings = Vec::new();
        for claims in part.claims {
            policy::link(claims, self.inventory, part.node, &mut rows, &mut findings);
        }
        LinkedPart { rows, findings }
    }

    /// Puts the linked parts of a node together.
    pub fn join(&self, parts: impl IntoIterator<Item = LinkedPart>) -> Linked {
        let mut findings = self.overlaps.clone();
        let mut rows = Vec::new();
        for mut part in parts {
            findings.append(&mut part.findings);
            rows.append(&mut part.rows);
        }
        findings.sort_unstable();
        findings.dedup();
        Linked { map_set: rows.into_iter().collect(), findings }
    }

    /// The policies that act on no Node of the inventory (L7); none where it has no Nodes.
    pub(crate) fn unselected(&self) -> impl Iterator<Item = &'a Policy> {
        let inventory = self.inventory;
        let acts_nowhere = move |policy: &&Policy| {
            policy.nodes.is_some()
                && inventory.nodes().len() > 0
                && !inventory.nodes().any(|node| acts_on(policy, node))
        };
        self.claims.iter().map(|claims| claims.policy).filter(acts_nowhere)
    }

    /// The policy of a name.
    pub(crate) fn policy(&self, name: &PolicyName) -> Option<&'a Policy> {
        let place = self.claims.binary_search_by(|claims| claims.policy.name.cmp(name)).ok()?;
        self.claims.get(place).map(|claims| claims.policy)
    }

    /// Number of Nodes of the inventory on which a policy acts (L7).
    pub fn node_count(&self, policy: &PolicyName) -> usize {
        self.policy(policy)
            .map_or(0, |policy| self.inventory.nodes().filter(|node| acts_on(policy, node)).count())
    }
}

/// The pods of a node whose own connections a policy leaves alone (L8), and those that it has as clients
/// (L6): what its rows say, and what they leave out where they are `original`.
pub(crate) fn parties(policy: &Policy, inventory: &Inventory, node: &str) -> (Arc<[PodRef]>, Arc<[PodRef]>) {
    (Selected::new(policy, inventory, node).exempt(), client_pods(policy, inventory, node))
}

/// Whether a policy acts on a node (L7).
fn acts_on(policy: &Policy, node: &Node) -> bool {
    policy.nodes.as_ref().is_none_or(|selector| selector.matches(&node.labels))
}
