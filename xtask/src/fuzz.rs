//! `cargo xtask fuzz`: replays the corpora and then looks for new input, each target for a bounded time.
//!
//! libFuzzer's instrumentation is a pass of LLVM that stable Rust takes as a code generation flag, so this
//! needs a C++ compiler for libFuzzer itself and nothing else: no nightly, no cargo-fuzz.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repository::{Failure, Repository, Result, output, run};

/// The targets, each a file in `fuzz/fuzz_targets` and a folder of seeds in `testdata/corpus`.
const TARGETS: [&str; 6] = ["parse", "selector", "allow", "flow", "image", "mapset"];

/// What cargo-fuzz passes, without a sanitizer: the product has no unsafe code where the targets reach.
const FLAGS: &str = "--cfg fuzzing -Clink-dead-code -Ccodegen-units=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long to look for new input with each target; 0 replays the corpora alone
    #[arg(long, default_value_t = 20, value_name = "SECONDS")]
    pub(crate) seconds: u32,

    /// Which targets to run; all of them unless named
    #[arg(value_parser = TARGETS)]
    targets: Vec<String>,
}

impl Args {
    /// Every target for so many seconds.
    pub(crate) fn briefly(seconds: u32) -> Self {
        Self { seconds, targets: Vec::new() }
    }
}

/// Builds the targets and runs them one after the other, up to the first that fails.
pub(crate) fn run_targets(repository: &Repository, args: &Args) -> Result<()> {
    let folder = build(repository)?;
    let named = |target: &&&str| args.targets.is_empty() || args.targets.iter().any(|name| name == **target);
    for target in TARGETS.iter().filter(named) {
        println!("-- {target}");
        run_one(repository, &folder.join(target), target, args.seconds)?;
    }
    Ok(())
}

/// The folder of the built targets. The host is named as the target so that build scripts and procedural
/// macros stay without instrumentation.
fn build(repository: &Repository) -> Result<PathBuf> {
    let host = host()?;
    let target = repository.target().join("fuzz");
    let mut cargo = repository.cargo();
    cargo.args(["build", "--quiet", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", &host]);
    run(cargo.arg("--target-dir").arg(&target).env("RUSTFLAGS", FLAGS))?;
    Ok(target.join(host).join("release"))
}

/// The triple that the compiler was built for.
fn host() -> Result<String> {
    let version = output(Command::new("rustc").args(["--version", "--verbose"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure("`rustc -vV` names no host".into()))
}

/// New input goes to a folder that git ignores; what made a target fail, to `fuzz/artifacts`.
fn run_one(repository: &Repository, program: &Path, target: &str, seconds: u32) -> Result<()> {
    let found = repository.target().join("fuzz/corpus").join(target);
    let artifacts = repository.path("fuzz/artifacts").join(target);
    for folder in [&found, &artifacts] {
        let failed = |error| Failure(format!("creating `{}`: {error}", folder.display()));
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let bound = if seconds == 0 { "-runs=0".to_owned() } else { format!("-max_total_time={seconds}") };
    let mut fuzzer = Command::new(program);
    fuzzer.args([bound.as_str(), "-max_len=4096", "-timeout=30", "-rss_limit_mb=512", "-verbosity=0"]);
    fuzzer.args(["-print_final_stats=1", "-use_value_profile=1"]);
    fuzzer.arg(format!("-artifact_prefix={}/", artifacts.display()));
    let dictionary = repository.path("fuzz/dictionaries").join(target).with_extension("dict");
    fuzzer.arg(format!("-dict={}", dictionary.display()));
    fuzzer.arg(found).arg(repository.path("testdata/corpus").join(target));
    if target == "parse" {
        // Every manifest of the repository is a seed where it stands.
        fuzzer.args(["policies", "testdata/cases"].map(|folder| repository.path(folder)));
    }
    run(&mut fuzzer)
}
