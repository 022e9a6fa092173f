//! `lrpc doctor`: can this machine run it, and does what is loaded act, line by line, each with its fix.

mod effect;
mod neighbours;

use std::fs;
use std::process::Command;

use rustix::process::{Resource, getrlimit};
use serde::Serialize;

use super::loaded::Found;
use super::{Error, Node};
use crate::kernel::bpffs::{is_on_bpffs, mount_point};
use crate::kernel::instance::Instance;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but not as well as it could.
    Warn,
    /// It does not work; exit 1.
    Fail,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; `None` where nothing is to be done.
    pub fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), fix: None }
    }

    fn new(name: &'static str, verdict: Verdict, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict, found: found.into(), fix: Some(fix.into()) }
    }
}

/// The bits in a process's set of capabilities, and their names.
const CAPABILITIES: [(u32, &str, Verdict); 3] = [
    (12, "CAP_NET_ADMIN", Verdict::Fail),
    (39, "CAP_BPF", Verdict::Fail),
    // Without it, programs run with speculation barriers: 100 to 400 ns more for a redirected connect.
    (38, "CAP_PERFMON", Verdict::Warn),
];

impl Node {
    /// Checks this machine. Nothing is changed, but that a cgroup is there for a moment: `asker` starts the process
    /// that is put into it, reads a line, and then prints what [`probe::ask`](crate::probe::ask) gives it, as JSON.
    pub fn doctor(&self, asker: &dyn Fn() -> Command) -> Vec<Check> {
        let release = proc("/proc/sys/kernel/osrelease");
        let version = release.as_ref().ok().and_then(|release| kernel_version(release));
        let mut checks = vec![match &release {
            Ok(release) => kernel(release.trim(), version),
            Err(unread) => Check { name: "kernel", ..unread.clone() },
        }];
        checks.extend(self.rights());
        checks.push(self.bpffs());
        checks.extend(self.cgroups(asker));
        checks.extend(memlock(version));
        checks.extend(self.linked_pods());
        checks
    }

    /// The rights that an apply needs, as this process has them.
    pub fn rights(&self) -> Vec<Check> {
        match proc("/proc/self/status") {
            Ok(status) => capabilities(&status),
            Err(unread) => vec![Check { name: "capabilities", ..unread }],
        }
    }

    fn bpffs(&self) -> Check {
        let (name, root) = ("bpffs", &self.bpffs);
        let place = mount_point(root).display().to_string();
        match Instance::open(root).map_err(Error::from) {
            Err(error) => failed(name, &error),
            Ok(Some(_)) => Check::ok(name, format!("{}, lrpc's own", root.display())),
            Ok(None) => match is_on_bpffs(root) {
                Ok(true) => Check::ok(name, root.display().to_string()),
                Err(error) => failed(name, &error.into()),
                Ok(false) => {
                    let found = format!("none at `{place}`; apply mounts one if it may");
                    Check::new(name, Verdict::Warn, found, format!("mount -t bpf -o mode=0700 bpf {place}"))
                }
            },
        }
    }

    fn cgroups(&self, asker: &dyn Fn() -> Command) -> Vec<Check> {
        let cgroup = match self.cgroup() {
            Ok(cgroup) => cgroup,
            Err(error) => return vec![failed("cgroup2", &error)],
        };
        let mut checks = vec![Check::ok("cgroup2", cgroup.path().display().to_string())];
        checks.extend(self.neighbours(&cgroup).unwrap_or_else(|error| vec![failed("hooks", &error)]));
        checks.extend(self.other_owner());
        checks.extend(self.effect(&cgroup, asker).unwrap_or_else(|error| vec![failed("effective", &error)]));
        checks
    }

    /// Whether the pods that what is loaded was linked with are still there; nothing to say where nothing is.
    fn linked_pods(&self) -> Option<Check> {
        let name = "linked pods";
        let fix = "dump the cluster again, and `lrpc apply`";
        let gone = || {
            let Some(reader) = self.reader()? else { return Ok(None) };
            let found = Found::read(&reader)?;
            let Some(loaded) = found.loaded() else { return Ok(None) };
            let Some(record) = loaded.record()? else { return Ok(None) };
            self.known_gone_pods(loaded, record).map(Some)
        };
        match gone() {
            Ok(None) => None,
            Ok(Some(Some(gone))) if gone.is_empty() => {
                Some(Check::ok(name, "all there, or not to be told apart"))
            }
            Ok(Some(Some(gone))) => Some(Check::new(
                name,
                Verdict::Warn,
                format!("gone from this node: {}", gone.join(", ")),
                fix,
            )),
            Ok(Some(None)) => {
                Some(Check::new(name, Verdict::Warn, "not known: the state directory has lost the set", fix))
            }
            Err(error) => Some(failed(name, &error)),
        }
    }
}

/// A line that fails for an error, with its causes.
fn failed(name: &'static str, error: &Error) -> Check {
    let fix = error.remedy().unwrap_or_else(|| "look at what the message names".to_owned());
    Check::new(name, Verdict::Fail, error.with_causes(), fix)
}

/// What the kernel says in a file below `/proc`, or the line that says why it does not.
fn proc(path: &str) -> Result<String, Check> {
    fs::read_to_string(path).map_err(|error| {
        let found = format!("`{path}` cannot be read: {error}");
        Check::new("proc", Verdict::Fail, found, "mount -t proc proc /proc")
    })
}

/// `major.minor` of a kernel release.
fn kernel_version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn kernel(release: &str, version: Option<(u32, u32)>) -> Check {
    let fix = "boot Linux 5.10 or newer";
    match version {
        Some(version) if version >= (5, 10) => Check::ok("kernel", release),
        _ => Check::new("kernel", Verdict::Fail, release, fix),
    }
}

/// The capabilities in a `/proc/PID/status`. Root in a container often lacks some.
fn capabilities(status: &str) -> Vec<Check> {
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    // CAP_SYS_ADMIN (21) stands for the two newer ones.
    let has = |bit: u32| set & (1 << bit) != 0 || (bit >= 38 && set & (1 << 21) != 0);
    let check = |(bit, name, verdict): (u32, &'static str, Verdict)| match (has(bit), verdict) {
        (true, _) => Check::ok(name, "present"),
        (false, Verdict::Warn) => Check::new(
            name,
            verdict,
            "missing; redirected connects cost a little more",
            format!("add {name}"),
        ),
        (false, Verdict::Ok | Verdict::Fail) => {
            Check::new(name, verdict, "missing", format!("run as root, or add {name}"))
        }
    };
    CAPABILITIES.into_iter().map(check).collect()
}

/// What is redirected here, and what `apply` leaves out: the table that `link` and `apply` ask too.
/// Before 5.11, map memory counts against RLIMIT_MEMLOCK.
fn memlock(version: Option<(u32, u32)>) -> Option<Check> {
    if version.is_some_and(|version| version >= (5, 11)) {
        return None;
    }
    let name = "RLIMIT_MEMLOCK";
    Some(match getrlimit(Resource::Memlock).current {
        None => Check::ok(name, "unlimited"),
        Some(bytes) => Check::new(
            name,
            Verdict::Warn,
            format!("{bytes} bytes, and this kernel counts maps against it"),
            "ulimit -l unlimited (or LimitMEMLOCK=infinity)",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_told_apart_by_number() {
        assert_eq!(kernel_version("6.18.44-fc-v657\n"), Some((6, 18)));
        assert_eq!(kernel("5.9.16", kernel_version("5.9.16")).verdict, Verdict::Fail);
        assert_eq!(kernel("5.10.0-rc1", kernel_version("5.10.0-rc1")).verdict, Verdict::Ok);
        assert_eq!(kernel("", kernel_version("")).verdict, Verdict::Fail);
    }

    #[test]
    fn two_capabilities_are_needed_and_a_third_is_faster() {
        let verdicts = |set: u64| {
            capabilities(&format!("Name:\tlrpc\nCapEff:\t{set:016x}\n"))
                .iter()
                .map(|c| c.verdict)
                .collect::<Vec<_>>()
        };
        use Verdict::{Fail, Ok, Warn};
        assert_eq!(verdicts(1 << 12 | 1 << 39), [Ok, Ok, Warn]);
        assert_eq!(verdicts(1 << 12 | 1 << 21), [Ok, Ok, Ok]);
        assert_eq!(verdicts(0), [Fail, Fail, Warn]);
    }

    #[test]
    fn the_limit_on_locked_memory_matters_on_old_kernels_only() {
        assert_eq!(memlock(Some((5, 11))), None);
        assert!(memlock(Some((5, 10))).is_some());
    }
}
