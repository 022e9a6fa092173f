//! A user without rights, with a uid of its own, on a bpffs that everyone may write, as the kernel mounts it:
//! nothing that it tries changes what is loaded, or keeps a loader from its work.
//!
//! Each attempt is made on an unprotected directory too, where it must succeed: one that fails everywhere
//! would show nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Test;
use crate::world::{GUIDE, NODE, World, guide_policy, lrpc, run};

pub(crate) const TESTS: &[Test] = &[
    ("a_directory_that_a_stranger_made_is_refused", a_directory_that_a_stranger_made_is_refused),
    ("what_is_loaded_is_out_of_a_strangers_reach", what_is_loaded_is_out_of_a_strangers_reach),
    ("a_stranger_exchanges_no_directory_for_a_link", a_stranger_exchanges_no_directory_for_a_link),
    ("no_lock_of_a_stranger_holds_a_loader_up", no_lock_of_a_stranger_holds_a_loader_up),
    ("what_is_made_is_ours_alone_whatever_the_umask", what_is_made_is_ours_alone_whatever_the_umask),
    ("loaders_that_race_mount_the_shared_place_once", loaders_that_race_mount_the_shared_place_once),
];

/// Nobody's number on any machine that this runs on.
const STRANGER: &str = "54321";

struct Scene {
    world: World,
    image: String,
    inventory: String,
}

impl Scene {
    /// A world that a stranger can walk into.
    fn new() -> Self {
        let world = World::new();
        world.server("169.254.169.254", 8080, "original");
        world.server("10.244.1.10", 80, "proxy");
        let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
        let image = world.image("guide", &guide_policy(80));
        set_mode(world.sandbox.folder(), 0o755);
        assert_eq!(mode(&world.sandbox.bpf_mount()), 0o1777, "the kernel's default");
        Self { world, image, inventory }
    }

    /// Runs lines of shell as the stranger, in the bpffs; whether they succeed.
    fn stranger(&self, script: &str) -> bool {
        self.strangers(script).status().unwrap().success()
    }

    fn strangers(&self, script: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", STRANGER, "--regid", STRANGER, "--clear-groups", "--bounding-set", "-all"]);
        command.args(["sh", "-e", "-c", script]).current_dir(self.world.sandbox.bpf_mount());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// An apply that ends with this code.
    #[track_caller]
    fn apply(&self, code: i32) -> crate::world::Run {
        self.world.apply(&self.image, &self.inventory, &[]).ends(code)
    }

    #[track_caller]
    fn redirects(&self) {
        assert_eq!(self.world.pod().connect("tcp", GUIDE).unwrap().name, "proxy");
        self.world.lrpc(&["verify"]).ends(0);
    }

    /// A folder on the bpffs that everyone may change, with the names that lrpc's has.
    fn unprotected(&self) {
        let open = self.world.sandbox.bpf_mount().join("open");
        for folder in ["links", "v2"] {
            fs::create_dir_all(open.join(folder)).unwrap();
            set_mode(&open.join(folder), 0o777);
        }
        symlink("/", open.join("links/connect4")).unwrap();
        set_mode(&open, 0o777);
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// The pin directory, one above it, the state directory, a link in the place of any of them: made by somebody
/// else they are refused, with owner and remedy, and stay as they are.
fn a_directory_that_a_stranger_made_is_refused() {
    let scene = Scene::new();
    let (sandbox, bpffs) = (&scene.world.sandbox, scene.world.sandbox.bpffs());
    let inner = bpffs.join("links/connect4");
    for script in ["mkdir -p lrpc/links/connect4 lrpc/programs", "mkdir lrpc", "ln -s / lrpc"] {
        assert!(scene.stranger(script), "{script}");
        let refused = scene.apply(2).stderr;
        for word in [&*bpffs.to_string_lossy(), "belongs to user 54321", "--bpffs"] {
            assert!(refused.contains(word), "`{word}` is missing in: {refused}");
        }
        for command in ["status", "verify", "unload", "rollback", "dump"] {
            let run = scene.world.lrpc(&[command]).ends(2);
            assert!(run.stderr.contains("belongs to user 54321"), "{command}: {}", run.stderr);
        }
        assert_eq!(inner.exists(), script.contains("links"), "{script}");
        assert_eq!(scene.world.pod().connect("tcp", GUIDE).unwrap().name, "original");
        // The remedy, followed.
        assert!(scene.stranger("rm -r lrpc"));
    }
    let below = sandbox.bpf_mount().join("theirs");
    assert!(scene.stranger("mkdir theirs"));
    let mut command = Command::new(lrpc());
    command.args(["apply", &scene.image, "--inventory", &scene.inventory, "--node", NODE, "--cgroup"]);
    command.arg(sandbox.cgroup()).arg("--bpffs").arg(below.join("lrpc")).arg("--state").arg(sandbox.state());
    assert!(run(&mut command).ends(2).stderr.contains("theirs` cannot be trusted"));
    assert_eq!(fs::read_dir(below).unwrap().count(), 0);
    scene.apply(0);
    scene.redirects();
}

fn what_is_loaded_is_out_of_a_strangers_reach() {
    let scene = Scene::new();
    scene.apply(0);
    scene.unprotected();
    let folders: Vec<_> = fs::read_dir(scene.world.sandbox.bpffs()).unwrap().collect();
    assert!(folders.len() > 3, "{folders:?}");
    for attempt in [
        "mkdir DIR/mine",
        "ls DIR",
        "ln -s / DIR/link",
        "rm DIR/links/connect4",
        "mv DIR/v2 DIR/gone",
        "mv DIR/gone DIR/v2",
        "rmdir DIR/v2 && ln -s / DIR/v2",
        "mv DIR elsewhere && mkdir DIR && rmdir DIR && mv elsewhere DIR",
    ] {
        assert!(!scene.stranger(&attempt.replace("DIR", "lrpc")), "{attempt}");
        // The last one needs a directory that is the stranger's own, in a folder that anyone may add to.
        let control = if attempt.starts_with("mv DIR ") {
            scene.stranger("mkdir mine") && scene.stranger(&attempt.replace("DIR", "mine"))
        } else {
            scene.stranger(&attempt.replace("DIR", "open"))
        };
        assert!(control, "the attempt shows nothing: {attempt}");
        scene.redirects();
    }
    scene.world.lrpc(&["unload"]).ends(0);
}

/// While root loads and unloads, a stranger tries to put a link to another directory in the place of ours, so
/// that root removes what is there.
fn a_stranger_exchanges_no_directory_for_a_link() {
    let scene = Scene::new();
    let kept = scene.world.sandbox.folder().join("kept");
    fs::create_dir_all(kept.join("links")).unwrap();
    for name in ["file", "links/connect4"] {
        fs::write(kept.join(name), "kept").unwrap();
    }
    let attempt = r#"i=0; while [ $i -lt 2000 ]; do i=$((i + 1))
        for dir in lrpc lrpc/links lrpc/programs lrpc/v2; do
            mv $dir mine && ln -s "$KEPT" $dir && exit 7
            rmdir $dir && ln -s "$KEPT" $dir && exit 7
        done; done; exit 0"#;
    let mut stranger =
        Stranger(scene.strangers(&format!("set +e; {attempt}")).env("KEPT", &kept).spawn().unwrap());
    let since = Instant::now();
    let mut rounds = 0;
    while rounds < 8 && since.elapsed() < Duration::from_secs(20) {
        scene.apply(0);
        scene.redirects();
        scene.world.lrpc(&["unload"]).ends(0);
        rounds += 1;
    }
    assert!(rounds > 0);
    let ended = stranger.0.try_wait().unwrap();
    assert!(ended.is_none_or(|ended| ended.code() == Some(0)), "the exchange succeeded: {ended:?}");
    for name in ["file", "links/connect4"] {
        assert_eq!(fs::read_to_string(kept.join(name)).unwrap(), "kept");
    }
    // The control: the same exchange in a directory that is not protected.
    scene.unprotected();
    assert!(scene.stranger("mv open/v2 mine && ln -s / open/v2"));
}

/// Ended when it is dropped.
struct Stranger(Child);

impl Drop for Stranger {
    fn drop(&mut self) {
        // Only the process that was started here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `flock` wants a descriptor and no right to write, so whoever can open a directory can keep its lock.
fn no_lock_of_a_stranger_holds_a_loader_up() {
    let scene = Scene::new();
    scene.apply(0);
    for directory in ["lrpc", "lrpc/lrpc-instance-1", "lrpc/v2"] {
        assert!(!scene.stranger(&format!("flock --shared --nonblock {directory} true")), "{directory}");
    }
    // What it can lock is on the way only: the mount, and the sandbox's folder.
    let mut holding =
        Stranger(scene.strangers("flock --shared . flock --shared .. sleep 60").spawn().unwrap());
    let locked = |path: &Path| {
        let mut flock = Command::new("flock");
        !flock.arg("--exclusive").arg("--nonblock").arg(path).arg("true").status().unwrap().success()
    };
    let since = Instant::now();
    let folders = [scene.world.sandbox.bpf_mount(), scene.world.sandbox.folder().to_owned()];
    while !folders.iter().all(|folder| locked(folder)) {
        assert!(
            since.elapsed() < Duration::from_secs(10),
            "the stranger got no lock: {:?}",
            holding.0.try_wait()
        );
        sleep(Duration::from_millis(20));
    }
    let since = Instant::now();
    scene.apply(0);
    scene.redirects();
    scene.world.lrpc(&["unload"]).ends(0);
    scene.apply(0);
    assert!(since.elapsed() < Duration::from_secs(4), "a loader waited");
    assert!(folders.iter().all(|folder| locked(folder)), "the control: the stranger held its locks");
}

fn what_is_made_is_ours_alone_whatever_the_umask() {
    for umask in ["0000", "0777"] {
        let scene = Scene::new();
        let mut command = Command::new("sh");
        command.args(["-c", &format!(r#"umask {umask} && exec "$@""#), "sh", lrpc(), "apply", &scene.image]);
        command.args(["--inventory", &scene.inventory, "--node", NODE]).args(scene.world.sandbox.options());
        run(&mut command).ends(0);
        let bpffs = scene.world.sandbox.bpffs();
        for made in [bpffs.clone(), bpffs.join("lrpc-instance-1")] {
            assert_eq!(mode(&made), 0o700, "umask {umask}: {}", made.display());
        }
        scene.redirects();
    }
}

/// First loads that come at once where nothing is mounted at the place that all instances share.
fn loaders_that_race_mount_the_shared_place_once() {
    let scene = Scene::new();
    let sandbox = &scene.world.sandbox;
    // This sandbox gets a place of its own, and one for its lock.
    let mount = Path::new("/sys/fs/bpf");
    run(Command::new("mount").args(["-t", "tmpfs", "none", "/run"])).ends(0);
    while mounts_at(mount) > 0 {
        run(Command::new("umount").arg("--lazy").arg(mount)).ends(0);
    }
    let command = |arguments: &[&str]| {
        let mut command = Command::new(lrpc());
        command.args(arguments).arg("--cgroup").arg(sandbox.cgroup());
        command.arg("--bpffs").arg(mount.join("lrpc")).arg("--state").arg(sandbox.state());
        command
    };
    let apply = ["apply", &scene.image, "--inventory", &scene.inventory, "--node", NODE];
    let start = |_| command(&apply).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    for loader in (0..4).map(start).collect::<Vec<_>>() {
        let output = loader.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!((mounts_at(mount), mode(mount) & 0o777), (1, 0o700));
    assert_eq!(mode(Path::new("/run/lrpc/lrpc-lock")), 0o700);
    assert_eq!(scene.world.pod().connect("tcp", GUIDE).unwrap().name, "proxy");
    run(&mut command(&["unload"])).ends(0);
    assert_eq!(scene.world.pod().connect("tcp", GUIDE).unwrap().name, "original", "a program is left");
}

/// How many file systems are mounted there, one over the other.
fn mounts_at(path: &Path) -> usize {
    let mounts = fs::read_to_string("/proc/thread-self/mounts").unwrap();
    let at = path.to_str().unwrap();
    mounts.lines().filter(|line| line.split(' ').nth(1) == Some(at)).count()
}
