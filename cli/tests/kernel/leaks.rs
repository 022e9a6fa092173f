//! What redirected sockets leave behind in the kernel: nothing.
//!
//! The kernel accounts the memory of a map, and of every entry that programs add to it, to the memory cgroup of
//! the process that made the map. So `apply` runs in one of its own, and nothing else is counted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Test;
use crate::pods::pod;
use crate::world::{NODE, World, address_policy, lrpc, run};

pub(crate) const TESTS: &[Test] =
    &[("sockets_that_are_closed_leave_no_memory", sockets_that_are_closed_leave_no_memory)];

/// How many sockets are used up; a million on demand.
const SOCKETS: &str = "LRPC_SOCKETS";
/// How many are open at once: what is counted is seen to be what they need.
const HELD: usize = 5_000;
/// The least that a redirected socket with its datagrams can need.
const LEAST: u64 = 64;
/// What per-CPU caches of the kernel's accounting may hold back.
const SLACK: u64 = 1 << 20;

/// A memory cgroup, removed when it is dropped.
struct Account {
    folder: PathBuf,
    usage: &'static str,
}

impl Account {
    fn open() -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lrpc-account-{}-{number}", std::process::id());
        let first = Path::new("/sys/fs/cgroup/memory");
        let account = if first.is_dir() {
            Self { folder: first.join(name), usage: "memory.kmem.usage_in_bytes" }
        } else {
            let second = Path::new("/sys/fs/cgroup");
            fs::write(second.join("cgroup.subtree_control"), "+memory")?;
            Self { folder: second.join(name), usage: "memory.current" }
        };
        fs::create_dir(&account.folder)?;
        Ok(account)
    }

    fn used(&self) -> u64 {
        fs::read_to_string(self.folder.join(self.usage)).unwrap().trim().parse().unwrap()
    }

    /// Waits until no more than this is used: memory is freed after a grace period or two.
    #[track_caller]
    fn falls_to(&self, most: u64) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.used() > most {
            assert!(Instant::now() < deadline, "{} bytes are used and not {most}", self.used());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // What a failed test left loaded is removed with its sandbox, a little later.
        let deadline = Instant::now() + Duration::from_secs(5);
        while fs::remove_dir(&self.folder).is_err() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Connected, to many servers, connected again, disconnected, refused: whatever a socket was used for, its
/// memory goes with it.
#[expect(clippy::print_stdout, reason = "the figures, for who asks for them")]
fn sockets_that_are_closed_leave_no_memory() {
    let world = World::new();
    let node = world.node();
    let account = Account::open().expect("a memory cgroup");
    let (shop, backend) = (pod(&node, "shop"), pod(&node, "backend"));
    let mut frontends = Vec::new();
    let mut policies = Vec::new();
    for number in 1..=10 {
        for (ip, to) in [
            (format!("169.254.23.{number}"), format!("169.254.23.{number}:7")),
            (format!("fd00:23::{number}"), format!("[fd00:23::{number}]:7")),
        ] {
            // Nobody listens in the backend: datagrams are thrown away and connections refused.
            for protocol in ["TCP", "UDP"] {
                let name = format!("{}-{}", ip.replace([':', '.'], "-"), protocol.to_lowercase());
                let policy = address_policy(&name, (&ip, 7, protocol), 7000 + number, "");
                policies.push(policy.replace("app: proxy", "app: backend"));
            }
            frontends.push(to);
        }
    }
    let frontends: Vec<&str> = frontends.iter().map(String::as_str).collect();
    let image = world.image("many", &policies.join("---\n"));
    let inventory = world.inventory_of(&[&shop, &backend], "");
    let mut apply = Command::new("sh");
    apply.args(["-c", r#"echo $$ > "$0/cgroup.procs" && exec "$@""#]).arg(&account.folder);
    apply.args([lrpc(), "apply", &image, "--inventory", &inventory, "--node", NODE, "--node-netns", "self"]);
    run(apply.args(world.sandbox.options())).ends(0);
    let mut client = shop.client().unwrap();
    client.use_up(1000, &frontends).unwrap();
    thread::sleep(Duration::from_millis(100));
    let before = account.used();

    client.hold(HELD, &frontends).unwrap();
    let held = account.used().saturating_sub(before);
    assert!(held >= HELD as u64 * LEAST, "{held} bytes for {HELD} sockets: this does not see what they need");
    client.close_all().unwrap();
    account.falls_to(before + SLACK);

    let sockets = std::env::var(SOCKETS).map_or(100_000, |count| count.parse().unwrap());
    client.use_up(sockets, &frontends).unwrap();
    account.falls_to(before + SLACK);
    println!("{sockets} sockets: {before} bytes before, {} after, {held} for {HELD}", account.used());
}
