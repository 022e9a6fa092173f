//! Debian packages, installed where a chore needs them.

use std::path::Path;
use std::process::Command;

use crate::repository::{Failure, Result, output, run};

/// Installs packages and says so.
///
/// # Errors
/// Without apt-get; the message names the packages.
pub(crate) fn install<'a>(packages: impl Iterator<Item = &'a str> + Clone) -> Result<()> {
    let names = packages.clone().collect::<Vec<_>>().join(" ");
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(Failure(format!(
            "this wants Debian's packages {names}, and the system has no apt-get; run it in a Debian container"
        )));
    }
    println!("installing {names}");
    run(apt().args(["update", "--quiet"]))?;
    run(apt().args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages))
}

/// apt-get as root, which this user may have to become.
fn apt() -> Command {
    let root = output(Command::new("id").arg("--user")).is_ok_and(|user| user == "0");
    let mut apt = Command::new(if root { "apt-get" } else { "sudo" });
    if !root {
        apt.arg("apt-get");
    }
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}
