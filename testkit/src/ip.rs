//! The program `ip`, in the network namespace of the calling thread.

use std::io::{self, Write};
use std::process::{Command, Stdio};

/// Runs it.
pub(crate) fn ip(arguments: &[&str]) -> io::Result<()> {
    run(Command::new("ip").args(arguments), &[])
}

/// Runs many lines of it at once, up to the first that fails.
pub(crate) fn batch(lines: &[String]) -> io::Result<()> {
    run(Command::new("ip").args(["-batch", "-"]), lines)
}

fn run(command: &mut Command, lines: &[String]) -> io::Result<()> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        io::Error::new(error.kind(), format!("`ip` (Debian package iproute2) cannot be run: {error}"))
    })?;
    if let Some(mut input) = child.stdin.take() {
        // One that ended early says why on its standard error.
        let _ = input.write_all(lines.join("\n").as_bytes());
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ip ({command:?}; {lines:?}): {}", said.trim())))
}
