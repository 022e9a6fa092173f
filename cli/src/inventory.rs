//! Reads what the cluster runs from `kubectl get -o yaml|json` dumps.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use lrpc_linker::Inventory;
use lrpc_linker::inventory::Builder;

use crate::exit::Failure;
use crate::manifests;
use crate::output::Output;

/// The inventory in these files and folders; `None` where none are named. Objects that had to be skipped
/// are said on standard error.
///
/// # Errors
/// When a file cannot be read or is neither YAML nor JSON: an inventory with a hole would say that a pod
/// does not exist.
pub(crate) fn read(paths: &[PathBuf], output: Output) -> Result<Option<Inventory>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    let (files, unreadable) = manifests::find(paths);
    if let Some(path) = unreadable.into_iter().next() {
        return Err(Failure::new("the inventory cannot be read").because(&path));
    }
    let mut builder = Builder::default();
    for path in files {
        add(&mut builder, &path)?;
    }
    let inventory = builder.build();
    for problem in inventory.problems() {
        output.message(&format!("warning: {problem}"));
    }
    Ok(Some(inventory))
}

/// The inventory that a command cannot do without.
///
/// # Errors
/// As [`read`], and where no path is named.
pub(crate) fn require(paths: &[PathBuf], output: Output) -> Result<Inventory, Failure> {
    read(paths, output)?.ok_or_else(|| {
        Failure::new("an inventory is needed")
            .help("add --inventory PATH with what `kubectl get pods,services,nodes -A -o yaml` prints")
    })
}

fn add(builder: &mut Builder, path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let unreadable = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(format!("the inventory {shown} cannot be read"))
            .because(error)
            .help("an inventory is what `kubectl get pods,services,nodes -A -o yaml` (or json) prints")
    };
    let name = path.to_string_lossy();
    if path == Path::new("-") {
        return builder.read(&name, std::io::stdin().lock()).map_err(|error| unreadable(&error));
    }
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    builder.read(&name, BufReader::new(file)).map_err(|error| unreadable(&error))
}
