//! Reads what the cluster runs from `kubectl get -o yaml|json` dumps.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use lrpc_linker::Inventory;
use lrpc_linker::inventory::{Builder, Problem, ReadError};
use lrpc_schema::image::Image;

use crate::exit::Failure;
use crate::manifests;
use crate::output::Output;

/// What makes an inventory, as a user runs it.
const DUMP: &str = "`kubectl get pods,services,nodes,namespaces -A -o yaml`";

/// The most that is read of one file. The dump of 100,000 pods has half a gigabyte; a device may never end.
const MAX_BYTES: u64 = 16 << 30;

/// An inventory, and what was wrong with the dumps that it was made of.
pub(crate) struct Given {
    pub(crate) inventory: Inventory,
    pub(crate) problems: Vec<Problem>,
}

impl Given {
    /// Says on standard error what was wrong, for commands whose results have no place for it.
    pub(crate) fn warn(self, output: Output) -> Inventory {
        for problem in &self.problems {
            output.message(format!("warning: {problem}"));
        }
        if self.inventory.pods().len() == 0 {
            output.message(format!(
                "warning: the inventory has no pod, and nothing has a backend; dump it with {DUMP}"
            ));
        }
        self.inventory
    }
}

/// The inventory in these files and folders; `None` where none are named.
///
/// # Errors
/// When a file cannot be read, is neither YAML nor JSON or was cut off: an inventory with a hole would say
/// that a pod does not exist. And when nothing can be linked with it, because it has no Node: what was not
/// looked at must not look sound.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Option<Given>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    let (files, unreadable) = manifests::find(paths);
    if let Some(failure) = manifests::failure("the inventory", &unreadable) {
        return Err(failure.help(format!("an inventory is what {DUMP} (or json) prints")));
    }
    let mut builder = Builder::default();
    for path in &files {
        add(&mut builder, path)?;
    }
    let (problems, ignored) = (builder.problems(), builder.ignored());
    let inventory = builder.build();
    if inventory.nodes().len() == 0 {
        return Err(without_nodes(&inventory, &problems, ignored, files.len()));
    }
    Ok(Some(Given { inventory, problems }))
}

/// The inventory that a command cannot do without.
///
/// # Errors
/// As [`read`], and where no path is named.
pub(crate) fn require(paths: &[PathBuf]) -> Result<Given, Failure> {
    read(paths)?.ok_or_else(|| {
        Failure::new("an inventory is needed").help(format!("add --inventory PATH with what {DUMP} prints"))
    })
}

/// Nothing can be linked: policies act on Nodes.
fn without_nodes(inventory: &Inventory, problems: &[Problem], ignored: usize, files: usize) -> Failure {
    let (pods, services) = (inventory.pods().len(), inventory.services().len());
    let held = match (pods, services, ignored, files) {
        (0, 0, 0, 0) => "no *.yaml, *.yml or *.json file".to_owned(),
        (0, 0, 0, _) => "no object".to_owned(),
        (0, 0, others, _) => format!("no object that is read, and {others} of other kinds"),
        (pods, services, ..) => format!("no Node, but Pods: {pods}, Services: {services}"),
    };
    let failure = Failure::new(format!("nothing can be linked: the inventory has {held}"));
    let failure =
        problems.iter().take(1).fold(failure, |failure, problem| failure.cause(problem.to_string()));
    failure.help(format!("dump it with {DUMP}, with the right to list all four, and see that it ends with 0"))
}

fn add(builder: &mut Builder, path: &Path) -> Result<(), Failure> {
    let unreadable = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(format!("the inventory {} cannot be read", path.display()))
            .because(error)
            .help(format!("an inventory is what {DUMP} (or json) prints"))
    };
    let name = path.to_string_lossy();
    let read = if path == Path::new("-") {
        bounded(builder, &name, io::stdin().lock())
    } else {
        bounded(builder, &name, File::open(path).map_err(|error| unreadable(&error))?)
    };
    read.map_err(|error| match is_image(path) {
        true => Failure::new(format!("{name} is an image, and no inventory"))
            .help("name the set of policies first, and what the cluster runs by --inventory"),
        false => unreadable(&error),
    })
}

fn is_image(path: &Path) -> bool {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut begin));
    read.is_ok() && Image::is_begun_in(&begin)
}

fn bounded(builder: &mut Builder, name: &str, reader: impl io::Read) -> Result<(), ReadError> {
    let mut reader = BufReader::with_capacity(64 << 10, reader.take(MAX_BYTES));
    builder.read(name, &mut reader)?;
    match reader.get_ref().limit() {
        0 => Err(ReadError::Io { file: name.to_owned(), source: io::ErrorKind::FileTooLarge.into() }),
        _ => Ok(()),
    }
}
