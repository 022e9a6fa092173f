//! One side of a comparison: an image, manifests, a git revision, or what this node does.

use std::fs;
use std::path::{Path, PathBuf};

use lrpc_linker::diff::Rows;
use lrpc_linker::mapset::ShownRow;
use lrpc_linker::{Inventory, LinkError, Linker};
use lrpc_schema::image::{DecodeError, Image};

use super::{git, live};
use crate::arguments::{ManifestArgs, NodeDirsArgs};
use crate::commands::image;
use crate::compilation::{self, Compilation};
use crate::exit::{ExitStatus, Failure};
use crate::manifests;
use crate::report::Report;

/// What is compared.
pub(super) enum Side {
    /// Policies.
    Image(Image),
    /// What the kernel does, and the policies behind it where the state directory has kept them.
    Live { image: Option<Image>, rows: Vec<ShownRow> },
}

/// A side that cannot be compared, with what is wrong in its manifests.
pub(super) struct Unusable {
    pub(super) failure: Failure,
    pub(super) reports: Vec<Report>,
}

impl From<Failure> for Unusable {
    fn from(failure: Failure) -> Self {
        Self { failure, reports: Vec::new() }
    }
}

/// How sides are read.
pub(super) struct Reader<'a> {
    /// The rules for manifests; the paths count for nothing.
    pub(super) manifests: ManifestArgs,
    pub(super) dirs: &'a NodeDirsArgs,
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
            return Ok(live::read(self.dirs, self.node)?);
        }
        if let Some(revision) = argument.to_str().and_then(git::Revision::named).transpose()? {
            let compilation = compilation::compile_read(revision.read()?, &self.manifests, None)?;
            return Self::compiled(compilation);
        }
        if let Some(image) = image_in(argument)? {
            return Ok(Side::Image(image));
        }
        let found = manifests::read(&[argument.to_owned()]);
        Self::compiled(compilation::compile_read(found, &self.manifests, None)?)
    }

    fn compiled(compilation: Compilation) -> Result<Side, Unusable> {
        let conclusion = compilation.conclude(false);
        match (compilation.plan, conclusion) {
            (Some(plan), Ok(ExitStatus::Done)) => Ok(Side::Image(lrpc_compiler::emit(&plan, false))),
            (_, Err(failure)) => Err(Unusable { failure, reports: compilation.reports }),
            _ => {
                let failure = Failure::new("its manifests have errors")
                    .help("both sides of a comparison must compile, under the lrpc.toml of this run");
                Err(Unusable { failure, reports: compilation.reports })
            }
        }
    }
}

/// Whether an argument means this node; a file of that name is `./live`.
pub(super) fn is_live(argument: &Path) -> bool {
    argument == Path::new("live")
}

/// The image in a file; `None` where it is no image by its name or its first bytes, so that it holds
/// manifests.
fn image_in(path: &Path) -> Result<Option<Image>, Failure> {
    let is_image = path.extension().is_some_and(|extension| extension == "lrpc");
    if is_image {
        return image::read(path).map(Some);
    }
    if path == Path::new("-") || manifests::is_manifest(path) || !path.is_file() {
        return Ok(None);
    }
    let bytes = fs::read(path)
        .map_err(|error| Failure::new(format!("{} cannot be read", path.display())).because(&error))?;
    match Image::decode(bytes) {
        Err(DecodeError::NotAnImage) => Ok(None),
        Ok(image) => Ok(Some(image)),
        Err(_) => image::read(path).map(Some),
    }
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

/// The rules for manifests out of arguments of our own.
pub(super) fn rules(args: &super::Args) -> ManifestArgs {
    ManifestArgs {
        paths: Vec::<PathBuf>::new(),
        namespace: args.namespace.clone(),
        allow_address: args.allow_address.clone(),
        config: args.config.clone(),
        strict_kinds: false,
        allow_empty: args.allow_empty,
    }
}
