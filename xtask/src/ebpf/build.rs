//! From the sources of the kernel programs to the linker's object.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::ebpf::toolchain::Toolchain;
use crate::repository::{Failure, Repository, Result, read, run};

const TARGET: &str = "bpfel-unknown-none";

/// What the object is made of beside the compiler: the crate with its lock file, and the records.
const SOURCES: [&str; 5] =
    ["ebpf/Cargo.toml", "ebpf/Cargo.lock", "ebpf/src", "schema/src/protocol.rs", "schema/src/records"];

/// Flags of the compiler that do not depend on the machine. BTF needs debug info. The last stands for the
/// build machine's architecture in aya-ebpf; no hook in use looks at registers.
const FLAGS: [&str; 4] = ["-Clink-arg=--btf", "-Cdebuginfo=2", "--cfg", "bpf_target_arch=\"x86_64\""];

/// The parts of the digest of the sources: name and content, sorted by name, and the flags.
pub(crate) fn sources(repository: &Repository) -> Result<Vec<(String, Vec<u8>)>> {
    let root = repository.path("");
    let mut sources = vec![("flags".to_owned(), FLAGS.join("\n").into_bytes())];
    for entry in SOURCES.iter().flat_map(|source| WalkDir::new(root.join(source))) {
        let entry = entry.map_err(|error| Failure(format!("reading the sources: {error}")))?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(&root).unwrap_or(entry.path());
            sources.push((name.to_string_lossy().into_owned(), read(entry.path())?));
        }
    }
    sources.sort();
    Ok(sources)
}

/// Builds the programs and gives the linker's output.
pub(crate) fn build(repository: &Repository, toolchain: &Toolchain) -> Result<Vec<u8>> {
    let target = repository.target().join("ebpf");
    let mut cargo = toolchain.cargo();
    cargo
        .current_dir(repository.path("ebpf"))
        .args(["build", "--release", "--locked", "--target", TARGET, "--bin", "lrpc-ebpf"])
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(repository, toolchain)?.join("\u{1f}"));
    run(&mut cargo)?;
    read(&target.join(TARGET).join("release/lrpc-ebpf"))
}

/// [`FLAGS`] and those that keep this machine's paths out of the object: the repository's, and every folder
/// in which cargo unpacks crates (named after the registry, which may be a mirror).
fn flags(repository: &Repository, toolchain: &Toolchain) -> Result<Vec<String>> {
    let mut flags = FLAGS.map(str::to_owned).to_vec();
    flags.push(format!("-Clinker={}", toolchain.linker().display()));
    flags.push(remap(&repository.path(""), "."));
    fetch(repository, toolchain)?;
    for registry in registries(&toolchain.cargo_home().join("registry/src"))? {
        flags.push(remap(&registry, "cargo"));
    }
    Ok(flags)
}

/// Unpacks the crates, so that the folders to remap are there before the first build.
fn fetch(repository: &Repository, toolchain: &Toolchain) -> Result<()> {
    run(toolchain.cargo().current_dir(repository.path("ebpf")).args(["fetch", "--locked", "--quiet"]))
}

fn registries(unpacked: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Failure(format!("reading `{}`: {error}", unpacked.display()));
    let entries = fs::read_dir(unpacked).map_err(failed)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}

fn remap(from: &Path, to: &str) -> String {
    let from = from.to_string_lossy();
    format!("--remap-path-prefix={}={to}", from.trim_end_matches('/'))
}
