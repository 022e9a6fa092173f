//! Namespaces, a cgroup and a bpffs that nothing else uses.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::thread::UnshareFlags;
use tempfile::TempDir;

use crate::ip::ip;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Scratch surroundings of one thread. Holding one proves that the thread is in a network and a mount
/// namespace of its own, and that threads and processes which it starts are too.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
    cgroup: PathBuf,
    mounted: bool,
}

impl Sandbox {
    /// Moves the calling thread into new namespaces, for good: call it in a thread of its own, or in a
    /// process that does nothing else. The loopback interface is up and has no other address than its
    /// own.
    ///
    /// # Errors
    /// Without the rights (root), without a cgroup v2 mount, without `ip`.
    pub fn enter() -> io::Result<Self> {
        #[expect(deprecated, reason = "files and signals are not unshared, which is what makes it unsafe")]
        rustix::thread::unshare(UnshareFlags::NEWNET | UnshareFlags::NEWNS)?;
        rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
        let folder = tempfile::Builder::new().prefix("lrpc-sandbox-").tempdir()?;
        fs::create_dir(folder.path().join("bpf"))?;
        let name = format!("lrpc-sandbox-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let cgroup = cgroup2_mount()?.join(name);
        fs::create_dir(&cgroup)?;
        let mut sandbox = Self { folder, cgroup, mounted: false };
        rustix::mount::mount("bpf", sandbox.bpf_mount(), "bpf", MountFlags::empty(), None)?;
        sandbox.mounted = true;
        ip(&["link", "set", "lo", "up"])?;
        Ok(sandbox)
    }

    /// Gives the loopback interface another address, such as `10.244.1.5/32`.
    ///
    /// # Errors
    /// When `ip` refuses it.
    pub fn add_address(&self, cidr: &str) -> io::Result<()> {
        // Nobody else could have an IPv6 address; without a check it can be bound at once.
        let check: &[&str] = if cidr.contains(':') { &["nodad"] } else { &[] };
        ip(&[&["address", "add", cidr, "dev", "lo"], check].concat())
    }

    /// Makes a range of addresses the namespace's own, such as `10.200.0.0/16`: a server on any address answers
    /// at each of them.
    ///
    /// # Errors
    /// When `ip` refuses it.
    pub fn add_range(&self, cidr: &str) -> io::Result<()> {
        ip(&["route", "add", "local", cidr, "dev", "lo"])
    }

    /// The scratch cgroup.
    pub fn cgroup(&self) -> &Path {
        &self.cgroup
    }

    /// Where the scratch bpffs is mounted.
    pub fn bpf_mount(&self) -> PathBuf {
        self.folder.path().join("bpf")
    }

    /// A scratch folder on a disk, for state, images and manifests.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The options that keep a node command of lrpc inside this sandbox.
    pub fn options(&self) -> Vec<String> {
        [("--cgroup", self.cgroup.clone()), ("--bpffs", self.bpffs()), ("--state", self.state())]
            .into_iter()
            .flat_map(|(option, path)| [option.to_owned(), path.display().to_string()])
            .collect()
    }

    /// The pin directory for lrpc.
    pub fn bpffs(&self) -> PathBuf {
        self.bpf_mount().join("lrpc")
    }

    /// The state directory for lrpc.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }
}

/// Ends what still runs in the cgroup (processes that the sandbox's owner started) and removes everything.
impl Drop for Sandbox {
    fn drop(&mut self) {
        // Each step is tried whatever became of the one before; a test that failed must leave nothing.
        let _ = fs::write(self.cgroup.join("cgroup.kill"), "1");
        if self.mounted {
            let _ = rustix::mount::unmount(self.bpf_mount(), UnmountFlags::DETACH);
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        while remove_cgroup(&self.cgroup).is_err() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Removes a cgroup and those below it.
fn remove_cgroup(cgroup: &Path) -> io::Result<()> {
    for entry in fs::read_dir(cgroup)?.flatten().filter(|entry| entry.path().is_dir()) {
        remove_cgroup(&entry.path())?;
    }
    fs::remove_dir(cgroup)
}

/// Where the cgroup v2 tree is mounted.
fn cgroup2_mount() -> io::Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let cgroup2 = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (path, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(path))
    });
    cgroup2.ok_or_else(|| io::Error::other("no cgroup v2 tree is mounted"))
}
