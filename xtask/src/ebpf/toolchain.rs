//! The compiler and the linker of the kernel programs, installed where they are missing.
//!
//! Debian carries a stable compiler with a prebuilt `core` for BPF, so no nightly compiler is needed and the
//! versions are the distribution's. It is called by its path: no rustup has to know it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages;
use crate::repository::{Failure, Repository, Result, output, run};

const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "libstd-rust-web-dev-bpf"];
/// The library that compiler and linker share; a dependency of `rustc-web`.
const LLVM_PACKAGE: &str = "libllvm22";
const LLVM_LIBRARY: &str = "libLLVM.so.22.1";
const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
/// There when `core` for BPF is installed.
const CORE: &str = "/usr/lib/rustlib/bpfel-unknown-none/lib";
const LINKER_VERSION: &str = "0.10.4";

/// Tools that are installed.
pub(crate) struct Toolchain {
    linker: PathBuf,
    cargo_home: PathBuf,
    /// A folder whose only content is LLVM's library: the linker takes the first that it finds, whatever
    /// its version.
    llvm: PathBuf,
}

/// Installs what is missing. Quick where nothing is.
pub(crate) fn install(repository: &Repository) -> Result<Toolchain> {
    if ![CARGO, RUSTC, CORE].into_iter().all(|needed| Path::new(needed).exists()) {
        packages::install(PACKAGES.into_iter())?;
    }
    let cargo_home = cargo_home()?;
    let llvm = repository.target().join("llvm");
    link_llvm(&llvm)?;
    let toolchain = Toolchain { linker: cargo_home.join("bin/bpf-linker"), cargo_home, llvm };
    if toolchain.linker_version().ok().as_deref() != Some(LINKER_VERSION) {
        let mut install = repository.cargo();
        run(install.args(["install", "bpf-linker", "--version", LINKER_VERSION, "--locked", "--force"]))?;
    }
    Ok(toolchain)
}

fn cargo_home() -> Result<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
        .ok_or_else(|| Failure("neither CARGO_HOME nor HOME is set".into()))
}

fn link_llvm(folder: &Path) -> Result<()> {
    let library = library_folder()?.join(LLVM_LIBRARY);
    let link = folder.join(LLVM_LIBRARY);
    if fs::read_link(&link).is_ok_and(|target| target == library) {
        return Ok(());
    }
    let failed = |error| Failure(format!("linking `{}`: {error}", link.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::symlink_metadata(&link).is_ok() {
        fs::remove_file(&link).map_err(failed)?;
    }
    symlink(&library, &link).map_err(failed)
}

/// Where Debian keeps this machine's libraries.
fn library_folder() -> Result<PathBuf> {
    let architecture = std::env::consts::ARCH;
    let folder = PathBuf::from(format!("/usr/lib/{architecture}-linux-gnu"));
    if folder.join(LLVM_LIBRARY).exists() {
        return Ok(folder);
    }
    Err(Failure(format!("`{}` holds no {LLVM_LIBRARY}; `apt-get install {LLVM_PACKAGE}`", folder.display())))
}

impl Toolchain {
    pub(crate) fn linker(&self) -> &Path {
        &self.linker
    }

    pub(crate) fn cargo_home(&self) -> &Path {
        &self.cargo_home
    }

    /// Debian's cargo with Debian's compiler, and nothing left of the cargo that runs this program.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(CARGO);
        // Incremental compilation gives other bytes.
        for inherited in [
            "CARGO",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTUP_TOOLCHAIN",
            "CARGO_BUILD_TARGET",
            "CARGO_INCREMENTAL",
        ] {
            cargo.env_remove(inherited);
        }
        cargo
            .env("RUSTC", RUSTC)
            .env("LD_LIBRARY_PATH", &self.llvm)
            // aya-ebpf uses inline assembly of a target that is not stable yet.
            .env("RUSTC_BOOTSTRAP", "aya_ebpf,lrpc_ebpf");
        cargo
    }

    /// Tool to version, of everything that shapes the bytes.
    pub(crate) fn versions(&self) -> Result<BTreeMap<String, String>> {
        let mut versions = BTreeMap::from([("bpf-linker".to_owned(), self.linker_version()?)]);
        for package in PACKAGES.iter().chain([&LLVM_PACKAGE]) {
            let version =
                output(Command::new("dpkg-query").args(["--show", "--showformat=${Version}", package]))?;
            versions.insert((*package).to_owned(), version);
        }
        Ok(versions)
    }

    fn linker_version(&self) -> Result<String> {
        let version = output(Command::new(&self.linker).arg("--version").env("LD_LIBRARY_PATH", &self.llvm))?;
        Ok(version.trim_start_matches("bpf-linker ").to_owned())
    }
}
