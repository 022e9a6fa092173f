//! The side `live`: what this node does, read back from the kernel.

use lrpc_linker::diff::Rows;
use lrpc_loader::node::{Error, Node, Side as Tables};
use lrpc_schema::image::Image;

use super::side::{self, Side};
use super::view::ExistingView;
use crate::commands::node;
pub(super) use crate::commands::node::NodeDirsArgs as Args;
use crate::exit::Failure;

/// What the kernel holds, and the image behind it where it was kept. A node with nothing loaded does nothing,
/// which can be compared like anything else.
///
/// # Errors
/// When no node is named, when another was loaded here, or when the kernel cannot say what is active.
pub(super) fn read(dirs: &Args, expected: Option<&str>) -> Result<Side, Failure> {
    let expected = expected.ok_or_else(side::needs_node)?;
    let node = node::open(dirs);
    let status = node.status().map_err(node::failure)?;
    let Some(active) = status.active else {
        return match status.differences.first() {
            None => Ok(Side::Live { image: Some(Image::seal(Vec::new(), None, None)), rows: Vec::new() }),
            Some(_) => Err(Failure::new("the kernel does not say what is active")
                .help("see `lrpc verify`, and `lrpc apply` to load a whole set")),
        };
    };
    if active.node != expected {
        return Err(Failure::new(format!("this node was loaded as `{}`, not as `{expected}`", active.node))
            .help(format!("pass --node {}", active.node)));
    }
    let dump = node.dump().map_err(node::failure)?;
    if dump.generation != active.generation {
        return Err(Failure::new("another generation was loaded meanwhile").help("run it again"));
    }
    let image = kept(&node)?.filter(|image| image.digest() == active.image);
    Ok(Side::Live { image, rows: dump.frontends })
}

/// The active image, if it was kept whole.
fn kept(node: &Node) -> Result<Option<Image>, Failure> {
    let bytes = node.image().map_err(node::failure)?;
    Ok(bytes.and_then(|bytes| Image::decode(bytes).ok()))
}

/// How many connections of this node a change concerns, one side of which is what it does. What keeps some from
/// being counted keeps nobody from comparing.
pub(super) fn existing(dirs: &Args, old: &Rows, new: &Rows) -> ExistingView {
    let [old, new] = [old, new].map(|rows| match rows {
        Rows::Linked(set) => Tables::Linked(set),
        Rows::Live(_) => Tables::Active,
    });
    let words = |troubles: &[Error]| troubles.iter().map(Error::with_causes).collect();
    match node::open(dirs).concerned(old, new) {
        Ok(counted) => ExistingView { concerned: counted.connections, troubles: words(&counted.troubles) },
        Err(error) => ExistingView { concerned: 0, troubles: words(&[error]) },
    }
}
