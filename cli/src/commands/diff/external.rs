//! A comparison by a program of the user's, as `KUBECTL_EXTERNAL_DIFF` does it for kubectl: the program gets two
//! folders, with a file for each policy and each node that is not the same.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use lrpc_linker::diff::PolicyDiff;
use lrpc_schema::image::{Image, Policy};

use super::view::{Compared, DiffView, NodeDiff, RowDiff};
use crate::commands::policy::PolicyView;
use crate::commands::row;
use crate::exit::Failure;
use crate::output::{Text, in_sight};

/// The variable that names the program, with its arguments.
const VARIABLE: &str = "LRPC_EXTERNAL_DIFF";

/// The program, where one is named.
pub(super) fn program() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|program| !program.is_empty())
}

/// Writes both sides and runs the program on them. It ends with 0 or 1, as `diff` does; the exit code of the
/// command is its own.
///
/// # Errors
/// When the sides cannot be written, or the program does not end so.
pub(super) fn run(
    program: &OsString,
    compared: Option<&Compared<'_>>,
    view: &DiffView,
) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("lrpc-diff-").tempdir();
    let folder = folder.map_err(|error| unwritable(&error))?;
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    write(&old, &new, compared, view).map_err(|error| unwritable(&error))?;

    let shown = program.to_string_lossy();
    let mut words = shown.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).arg(&old).arg(&new);
    let help =
        format!("{VARIABLE} names a program like `diff -ru`, which takes two folders and ends with 0 or 1");
    let status = command
        .status()
        .map_err(|error| Failure::new(format!("`{shown}` cannot be run")).because(&error).help(&help))?;
    match status.code() {
        Some(0 | 1) => Ok(()),
        _ => Err(Failure::new(format!("`{shown}` ended with {status}")).help(help)),
    }
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::new("the sides of the comparison cannot be written to files").because(error)
}

fn write(old: &Path, new: &Path, compared: Option<&Compared<'_>>, view: &DiffView) -> io::Result<()> {
    fs::create_dir(old)?;
    fs::create_dir(new)?;
    if let Some((before, after, PolicyDiff { added, removed, changed, .. })) = compared {
        removed.iter().try_for_each(|policy| write_policy(old, policy, before))?;
        added.iter().try_for_each(|policy| write_policy(new, policy, after))?;
        for change in changed {
            write_policy(old, change.old, before)?;
            write_policy(new, change.new, after)?;
        }
    }
    for NodeDiff { node, frontends, .. } in &view.nodes {
        let rows = |row: fn(&RowDiff) -> Option<String>| frontends.iter().filter_map(row).collect::<String>();
        let name = file_name("node", node, "txt");
        write_text(&old.join(&name), rows(|diff| diff.old.as_ref().map(row::line)))?;
        write_text(&new.join(&name), rows(|diff| diff.new.as_ref().map(row::line)))?;
    }
    Ok(())
}

/// What the program shows on the terminal leaves lrpc here.
fn write_text(path: &Path, text: String) -> io::Result<()> {
    Text::from(text).leave(&mut File::create(path)?, false)
}

/// A policy as `inspect` shows it. Where it is written is no difference.
fn write_policy(folder: &Path, policy: &Policy, image: &Image) -> io::Result<()> {
    let view = PolicyView { at: None, ..PolicyView::of(policy, image) };
    let text = serde_json::to_string_pretty(&view)?;
    fs::write(folder.join(file_name("policy", &view.policy, "json")), in_sight(&text).into_owned() + "\n")
}

/// A name without anything that leads out of the folder, whatever the image or the inventory says.
fn file_name(what: &str, name: &str, ending: &str) -> String {
    let plain = |character: char| {
        if character.is_alphanumeric() || "-.".contains(character) { character } else { '_' }
    };
    format!("{what}.{}.{ending}", name.chars().map(plain).collect::<String>())
}
