//! What is in the machine: an initramfs with static test binaries, what they call, and the script that runs them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::repository::{Failure, Repository, Result, output, read, run, write};

use super::core::{CORE, is_for};
use super::kernels::Fetched;

/// Static: what is built once runs wherever a kernel does.
const TARGET: &str = "x86_64-unknown-linux-musl";

/// Programs of this system that the script and the tests call.
const PROGRAMS: [&str; 8] = ["cat", "insmod", "ip", "mount", "setpriv", "sh", "sleep", "umount"];

/// Files of the repository that the tests read.
const READ: [&str; 1] = ["policies/kiam-eks/policy.yaml"];

const INIT: &str = include_str!("init.sh");

/// The initramfs, but for a kernel's modules.
pub(super) struct Guest {
    folder: PathBuf,
    archive: PathBuf,
    /// Package and name.
    tests: Vec<(&'static str, &'static str)>,
}

impl Guest {
    /// Builds the tests and packs them.
    pub(super) fn build(repository: &Repository) -> Result<Self> {
        run(Command::new("rustup").args(["target", "add", TARGET]))?;
        let folder = repository.target().join("vm");
        let root = Root::new(folder.join("root"))?;
        for program in PROGRAMS {
            root.add_program(program)?;
        }
        let mut core = Vec::new();
        for (package, tests) in CORE {
            let built = built(repository, package)?;
            root.add(&built.test, &Path::new("tests").join(package))?;
            if let Some(lrpc) = built.lrpc {
                root.add_lrpc(&lrpc)?;
            }
            let there = output(Command::new(&built.test).arg("--list"))?;
            for test in tests {
                if !there.lines().any(|line| line.strip_suffix(": test") == Some(test)) {
                    return Err(Failure(format!("{package} has no kernel test `{test}`")));
                }
                core.push((package, *test));
            }
        }
        for read in READ {
            root.add(&repository.path(read), &repository.path(read))?;
        }
        // Paths lead through it.
        root.make(&root.folder.join(below(&repository.path("cli"))))?;
        root.write("init", INIT, 0o755)?;
        let archive = folder.join("root.cpio");
        pack(&root.folder, &archive)?;
        Ok(Self { folder, archive, tests: core })
    }

    /// The initramfs for a kernel: archives in a row are unpacked one after the other.
    pub(super) fn initramfs(&self, fetched: &Fetched) -> Result<PathBuf> {
        let kernel = fetched.kernel;
        let root = Root::new(self.folder.join("more"))?;
        let files = fs::read_dir(&fetched.modules).map_err(|error| root.failure(&fetched.modules, &error))?;
        for file in files.flatten() {
            root.add(&file.path(), &Path::new("modules").join(file.file_name()))?;
        }
        let tests = self.tests.iter().filter(|(_, test)| is_for(test, kernel.release));
        let core: Vec<String> = tests.map(|(package, test)| format!("{package} {test}\n")).collect();
        root.write("core", &core.concat(), 0o644)?;
        let more = self.folder.join("more.cpio");
        pack(&root.folder, &more)?;
        let whole = self.folder.join(format!("initramfs-{}", kernel.series));
        write(&whole, &[read(&self.archive)?, read(&more)?].concat())?;
        Ok(whole)
    }
}

/// The executables of a package.
struct Built {
    /// Its kernel tests.
    test: PathBuf,
    /// The program that they call, at the path at which they call it.
    lrpc: Option<PathBuf>,
}

/// A line of what cargo says of its work; of an artifact where there is an executable.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

fn built(repository: &Repository, package: &str) -> Result<Built> {
    let mut cargo = repository.cargo();
    cargo.args(["test", "--quiet", "--no-run", "--package", package, "--test", "kernel", "--target", TARGET]);
    let said = output(cargo.arg("--message-format=json").stderr(Stdio::inherit()))?;
    let (mut test, mut lrpc) = (None, None);
    for message in said.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok()) {
        if let (Some(executable), Some(target)) = (message.executable, message.target) {
            match (&*target.name, target.kind.iter().any(|kind| kind == "test")) {
                ("kernel", true) => test = Some(executable),
                ("lrpc", false) => lrpc = Some(executable),
                _ => {}
            }
        }
    }
    let test = test.ok_or_else(|| Failure(format!("cargo built no kernel tests of {package}")))?;
    Ok(Built { test, lrpc })
}

/// The tree of files that is packed.
struct Root {
    folder: PathBuf,
}

impl Root {
    /// An empty one.
    fn new(folder: PathBuf) -> Result<Self> {
        let root = Self { folder };
        if root.folder.exists() {
            fs::remove_dir_all(&root.folder).map_err(|error| root.failure(&root.folder, &error))?;
        }
        for name in ["dev", "proc", "run", "sys", "tmp", "usr/bin", "usr/lib", "usr/lib64"] {
            root.make(&root.folder.join(name))?;
        }
        for (name, to) in
            [("bin", "usr/bin"), ("sbin", "usr/bin"), ("lib", "usr/lib"), ("lib64", "usr/lib64")]
        {
            let link = root.folder.join(name);
            symlink(to, &link).map_err(|error| root.failure(&link, &error))?;
        }
        Ok(root)
    }

    fn failure(&self, path: &Path, error: &std::io::Error) -> Failure {
        Failure(format!("`{}`: {error}", path.display()))
    }

    fn make(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).map_err(|error| self.failure(folder, &error))
    }

    /// Copies a file to a path below the root.
    fn add(&self, file: &Path, at: &Path) -> Result<()> {
        let to = self.folder.join(below(at));
        if let Some(above) = to.parent() {
            self.make(above)?;
        }
        fs::copy(file, &to).map(drop).map_err(|error| self.failure(file, &error))
    }

    fn write(&self, at: &str, text: &str, mode: u32) -> Result<()> {
        let path = self.folder.join(at.trim_start_matches('/'));
        write(&path, text.as_bytes())?;
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(&path, mode).map_err(|error| self.failure(&path, &error))
    }

    /// Copies a program of this system, and the libraries that it is linked with.
    fn add_program(&self, name: &str) -> Result<()> {
        let places = ["/usr/bin", "/usr/sbin"].map(|folder| Path::new(folder).join(name));
        let found = places.iter().find(|path| path.exists());
        let program = found.ok_or_else(|| Failure(format!("this system has no program `{name}`")))?;
        self.add(program, &Path::new("usr/bin").join(name))?;
        let libraries = output(Command::new("ldd").arg(program))?;
        for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
            self.add(Path::new(library), Path::new(library))?;
        }
        Ok(())
    }

    /// Puts lrpc where the tests call it, behind a script that leaves it two capabilities.
    fn add_lrpc(&self, lrpc: &Path) -> Result<()> {
        self.add(lrpc, Path::new("tests/lrpc-itself"))?;
        let script = "#!/bin/sh\nexec setpriv --bounding-set -all,+bpf,+net_admin --no-new-privs \
                      /tests/lrpc-itself \"$@\"\n";
        self.write(&lrpc.display().to_string(), script, 0o755)
    }
}

/// A path as one below a root.
fn below(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn pack(folder: &Path, archive: &Path) -> Result<()> {
    let file =
        fs::File::create(archive).map_err(|error| Failure(format!("`{}`: {error}", archive.display())))?;
    let mut pack = Command::new("sh");
    pack.args(["-c", "find . | cpio --quiet --create --format=newc"]);
    run(pack.current_dir(folder).stdout(file))
}
