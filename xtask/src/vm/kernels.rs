//! The kernels: Debian's, fetched by apt and verified by the archive's signature, and installed nowhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use walkdir::WalkDir;

use crate::repository::{Failure, Repository, Result, output, run, write};

/// A kernel of a release of Debian.
pub(super) struct Kernel {
    /// Its release series.
    pub(super) series: &'static str,
    pub(super) release: (u32, u32),
    suite: &'static str,
}

/// The oldest kernel that is supported, and those of the two Debian releases after it.
pub(super) static KERNELS: [Kernel; 3] = [
    Kernel { series: "5.10", release: (5, 10), suite: "bullseye" },
    Kernel { series: "6.1", release: (6, 1), suite: "bookworm" },
    Kernel { series: "6.12", release: (6, 12), suite: "trixie" },
];

/// Depends on the newest kernel of its suite for virtual machines.
const META_PACKAGE: &str = "linux-image-cloud-amd64";

/// What the tests' pods are made with, in the order in which they are loaded.
const MODULES: [&str; 4] = ["llc", "stp", "bridge", "veth"];

/// What is kept of a kernel's package.
pub(super) struct Fetched {
    pub(super) kernel: &'static Kernel,
    pub(super) image: PathBuf,
    /// A folder with its modules.
    pub(super) modules: PathBuf,
}

impl Kernel {
    /// The kernel; the one that was fetched before, where there is one.
    pub(super) fn fetch(&'static self, repository: &Repository) -> Result<Fetched> {
        let folder = repository.target().join("vm").join(self.series);
        let kept = Fetched { kernel: self, image: folder.join("vmlinuz"), modules: folder.join("modules") };
        if kept.image.exists() {
            return Ok(kept);
        }
        let apt = Apt::new(&folder.join("apt"), self.suite)?;
        let dependencies = output(apt.command("apt-cache").args(["depends", META_PACKAGE]))?;
        let package = dependencies.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
        let package = package.ok_or_else(|| Failure(format!("{} has no {META_PACKAGE}", self.suite)))?;
        println!("fetching {package} of {}", self.suite);
        let unpacked = folder.join("unpacked");
        make(&unpacked)?;
        run(apt.command("apt-get").args(["download", "--quiet", package]).current_dir(&unpacked))?;
        let archive = find(&unpacked, |name| name.ends_with(".deb"))?;
        run(Command::new("dpkg-deb").arg("--extract").arg(&archive).arg(&unpacked))?;
        make(&kept.modules)?;
        for (place, module) in MODULES.into_iter().enumerate() {
            let names = [format!("{module}.ko"), format!("{module}.ko.xz")];
            let file = find(&unpacked, |name| names.iter().any(|fits| fits == name))?;
            let ending = if file.extension().is_some_and(|ending| ending == "xz") { ".ko.xz" } else { ".ko" };
            rename(&file, &kept.modules.join(format!("{place}-{module}{ending}")))?;
        }
        rename(&find(&unpacked, |name| name.starts_with("vmlinuz-"))?, &kept.image)?;
        fs::remove_dir_all(&unpacked)
            .map_err(|error| Failure(format!("removing `{}`: {error}", unpacked.display())))?;
        Ok(kept)
    }
}

/// An apt that knows one suite and has a folder of its own, so that nothing of this system's changes.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn new(folder: &Path, suite: &str) -> Result<Self> {
        for part in ["lists/partial", "archives/partial", "parts"] {
            make(&folder.join(part))?;
        }
        let key = "signed-by=/usr/share/keyrings/debian-archive-keyring.gpg";
        let sources = format!(
            "deb [{key}] http://deb.debian.org/debian {suite} main\n\
             deb [{key}] http://deb.debian.org/debian-security {suite}-security main\n"
        );
        write(&folder.join("sources.list"), sources.as_bytes())?;
        write(&folder.join("status"), b"")?;
        let apt = Self { folder: folder.to_path_buf() };
        run(apt.command("apt-get").args(["update", "--quiet"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let folder = self.folder.display();
        for option in [
            format!("Dir::Etc::sourcelist={folder}/sources.list"),
            format!("Dir::Etc::sourceparts={folder}/parts"),
            format!("Dir::State={folder}"),
            format!("Dir::State::status={folder}/status"),
            format!("Dir::Cache={folder}"),
            // This folder is the caller's, and apt's own user may not write there.
            "APT::Sandbox::User=root".into(),
        ] {
            command.arg("-o").arg(option);
        }
        command
    }
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Failure(format!("making `{}`: {error}", folder.display())))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| Failure(format!("keeping `{}`: {error}", to.display())))
}

/// The file below a folder whose name fits.
fn find(folder: &Path, fits: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let files = WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let mut found = files.filter(|entry| entry.file_name().to_str().is_some_and(&fits));
    let found =
        found.next().ok_or_else(|| Failure(format!("nothing that fits below `{}`", folder.display())));
    found.map(|entry| entry.into_path())
}
