//! One side of a comparison: a set of policies, or what this node does.

use std::path::Path;

use lrpc_linker::diff::Rows;
use lrpc_linker::mapset::ShownRow;
use lrpc_linker::{Inventory, LinkError, Linker};
use lrpc_schema::image::Image;

use super::live;
use crate::compilation::Rules;
use crate::exit::Failure;
use crate::set::{self, Unusable};

/// What is compared.
pub(super) enum Side {
    /// Policies.
    Image(Image),
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has a node to look at"))]
    /// What the kernel does, and the policies behind it where the state directory has kept them.
    Live { image: Option<Image>, rows: Vec<ShownRow> },
}

/// How sides are read.
pub(super) struct Reader<'a> {
    pub(super) rules: Rules<'a>,
    pub(super) live: &'a live::Args,
    /// The node that `live` must be.
    pub(super) node: Option<&'a str>,
}

impl Reader<'_> {
    /// Reads the side that an argument names.
    ///
    /// # Errors
    /// When it cannot be read, or does not compile.
    pub(super) fn read(&self, argument: &Path) -> Result<Side, Unusable> {
        if is_live(argument) {
            return Ok(live::read(self.live, self.node)?);
        }
        Ok(Side::Image(set::read(argument, self.rules)?))
    }
}

/// Whether an argument means this node; a file of that name is `./live`.
pub(super) fn is_live(argument: &Path) -> bool {
    argument == Path::new("live")
}

/// The other side can be compared with this node only where it is linked for it.
pub(super) fn needs_node() -> Failure {
    Failure::new("`live` needs --inventory and --node")
        .help("name this node, and what the cluster runs, so that the other side can be linked for it")
}

impl Side {
    /// The policies, where they are known.
    pub(super) fn image(&self) -> Option<&Image> {
        match self {
            Self::Image(image) => Some(image),
            Self::Live { image, .. } => image.as_ref(),
        }
    }

    /// The side, made ready to say what it does on any node.
    pub(super) fn linker<'a>(&'a self, inventory: &'a Inventory) -> NodeRows<'a> {
        match self {
            Self::Image(image) => NodeRows::Linked(Linker::new(image, inventory, None)),
            Self::Live { rows, .. } => NodeRows::Live(rows),
        }
    }
}

/// Says what a side does on a node.
pub(super) enum NodeRows<'a> {
    Linked(Linker<'a>),
    Live(&'a [ShownRow]),
}

impl NodeRows<'_> {
    /// The rows of a node.
    ///
    /// # Errors
    /// The node is not in the inventory.
    pub(super) fn of(&self, node: &str) -> Result<Rows, LinkError> {
        match self {
            Self::Linked(linker) => Ok(Rows::Linked(linker.link(node)?.map_set)),
            Self::Live(rows) => Ok(Rows::Live(rows.to_vec())),
        }
    }
}
