//! One run of a program: wall time, processor time and peak memory, as GNU `time` reads them from the kernel.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::packages;
use crate::repository::{Failure, Result};

const TIME: &str = "/usr/bin/time";

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time of all threads, in seconds.
    pub(crate) processor: f64,
    /// The largest resident set, in bytes.
    pub(crate) peak: f64,
}

/// The run with the least wall time among `times`; the others met more of the neighbours.
///
/// # Errors
/// When the program cannot be run or does not end with `exit`.
pub(crate) fn best<S: AsRef<OsStr>>(times: u32, exit: i32, words: &[S]) -> Result<Cost> {
    let mut best = once(exit, words)?;
    for _ in 1..times {
        let cost = once(exit, words)?;
        if cost.wall < best.wall {
            best = cost;
        }
    }
    Ok(best)
}

/// One run.
///
/// # Errors
/// As [`best`].
pub(crate) fn once<S: AsRef<OsStr>>(exit: i32, words: &[S]) -> Result<Cost> {
    if !Path::new(TIME).exists() {
        packages::install(["time"].into_iter())?;
    }
    let mut command = Command::new(TIME);
    command.args(["--quiet", "--format", "\n%U %S %M"]).args(words).stdin(Stdio::null());
    let begin = Instant::now();
    let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let wall = begin.elapsed();
    let output = output.map_err(|error| Failure(format!("{TIME}: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() != Some(exit) {
        let program = words.first().map(|word| word.as_ref().to_string_lossy()).unwrap_or_default();
        return Err(Failure(format!("{program}: {} and not {exit}\n{}", output.status, said.trim_end())));
    }
    let figures = said.lines().last().unwrap_or_default();
    let figures: Option<Vec<f64>> = figures.split(' ').map(|figure| figure.parse().ok()).collect();
    match figures.as_deref() {
        Some([user, system, kilobytes]) => {
            Ok(Cost { wall, processor: user + system, peak: kilobytes * 1024.0 })
        }
        _ => Err(Failure(format!("{TIME} printed no figures"))),
    }
}
