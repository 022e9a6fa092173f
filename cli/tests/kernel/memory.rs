//! The state directory: only memory, only ours, and nothing in it stops an apply for ever.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Test;
use crate::world::{GUIDE, NODE, Run, World, guide_policy, lrpc, run};

pub(crate) const TESTS: &[Test] = &[
    (
        "a_state_folder_of_others_is_refused_and_left_as_it_is",
        a_state_folder_of_others_is_refused_and_left_as_it_is,
    ),
    ("nothing_in_the_history_stops_an_apply", nothing_in_the_history_stops_an_apply),
    ("a_second_history_is_not_written", a_second_history_is_not_written),
    ("a_pipe_in_the_place_of_a_file_is_refused_at_once", a_pipe_in_the_place_of_a_file_is_refused_at_once),
    ("what_was_damaged_is_mended_by_the_next_apply", what_was_damaged_is_mended_by_the_next_apply),
    ("two_instances_do_not_share_a_memory", two_instances_do_not_share_a_memory),
    (
        "a_state_folder_that_a_stranger_can_change_is_refused",
        a_state_folder_that_a_stranger_can_change_is_refused,
    ),
    ("a_read_only_bpffs_can_be_looked_at", a_read_only_bpffs_can_be_looked_at),
];

struct Scene {
    world: World,
    image: String,
    inventory: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        world.server("10.244.1.10", 80, "proxy");
        let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80, 81])]);
        let image = world.image("guide", &guide_policy(80));
        Self { world, image, inventory }
    }

    fn apply(&self) -> Run {
        self.world.apply(&self.image, &self.inventory, &[])
    }

    /// A node command on directories of its own.
    fn on(&self, bpffs: &Path, state: &Path, arguments: &[&str]) -> Run {
        let mut command = Command::new(lrpc());
        command.args(arguments).arg("--cgroup").arg(self.world.sandbox.cgroup());
        run(command.arg("--bpffs").arg(bpffs).arg("--state").arg(state))
    }

    fn apply_on(&self, bpffs: &Path, state: &Path) -> Run {
        let apply = ["apply", &self.image, "--inventory", &self.inventory, "--node", NODE];
        self.on(bpffs, state, &apply)
    }

    #[track_caller]
    fn redirects(&self) {
        assert_eq!(self.world.pod().connect("tcp", GUIDE).unwrap().name, "proxy");
    }
}

/// Everything below a folder, with its content.
fn content(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.insert(path.display().to_string(), fs::read(&path).ok());
        if path.is_dir() && !path.is_symlink() {
            found.extend(content(&path));
        }
    }
    found
}

fn a_state_folder_of_others_is_refused_and_left_as_it_is() {
    let scene = Scene::new();
    let theirs = scene.world.sandbox.folder().join("theirs");
    for file in ["images/cat.png", "rows/1.json", "generations/1", "notes"] {
        let file = theirs.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "theirs").unwrap();
    }
    std::os::unix::fs::symlink(scene.world.sandbox.folder(), theirs.join("images/link")).unwrap();
    let before = content(&theirs);
    let bpffs = scene.world.sandbox.bpffs();
    let refused = scene.apply_on(&bpffs, &theirs).ends(2).stderr;
    let remedy = format!("--state {}", theirs.join("lrpc").display());
    for word in ["`generations`, `images`, `notes` and 1 more", &remedy] {
        assert!(refused.contains(word), "`{word}` is missing in: {refused}");
    }
    assert_eq!(scene.world.pins(), Vec::<String>::new());
    // Where a bpffs would have to be mounted first, too.
    let unmounted = scene.world.sandbox.folder().join("unmounted");
    scene.apply_on(&unmounted, &theirs).ends(2);
    assert!(!unmounted.exists());
    assert!(content(&theirs) == before);
    // The remedy, followed; then what is loaded is unloaded with the wrong folder.
    scene.apply_on(&bpffs, &theirs.join("lrpc")).ends(0);
    scene.redirects();
    let told = scene.on(&bpffs, &theirs, &["unload"]).ends(0).stderr;
    assert!(told.contains(&theirs.join("lrpc").display().to_string()), "{told}");
    scene.on(&bpffs, &theirs.join("lrpc"), &["status"]).ends(1);
    let mut after = content(&theirs);
    after.retain(|path, _| !path.contains("theirs/lrpc"));
    assert!(after == before);
}

fn nothing_in_the_history_stops_an_apply() {
    let scene = Scene::new();
    scene.apply().ends(0);
    let history = scene.world.sandbox.state().join("history.jsonl");
    let whole = fs::read_to_string(&history).unwrap();
    let highest = whole.replace("\"generation\":1,", "\"generation\":281474976710655,");
    assert_ne!(highest, whole);
    let other = scene.world.image("other", &guide_policy(81));
    for (damage, generation) in [(&b"\xff\n"[..], 2), (highest.as_bytes(), 3), (&whole.as_bytes()[..40], 4)] {
        let mut bytes = fs::read(&history).unwrap();
        bytes.extend(damage);
        fs::write(&history, bytes).unwrap();
        let image = if generation % 2 == 0 { &other } else { &scene.image };
        let applied = scene.world.apply(image, &scene.inventory, &[]).ends(0);
        assert_eq!(applied.json()["generation"], generation);
        assert!(applied.stderr.contains("no events were passed over"), "{}", applied.stderr);
        scene.world.lrpc(&["verify"]).ends(0);
        let events = scene.world.lrpc(&["history", "--format", "json"]).ends(0).json();
        assert_eq!(events[0]["generation"], generation);
    }
}

fn a_pipe_in_the_place_of_a_file_is_refused_at_once() {
    let scene = Scene::new();
    let state = scene.world.sandbox.state();
    fs::create_dir(&state).unwrap();
    run(Command::new("mkfifo").arg(state.join("history.jsonl"))).ends(0);
    let since = Instant::now();
    let refused = scene.apply().ends(2).stderr;
    assert!(refused.contains("history.jsonl"), "{refused}");
    assert_eq!(scene.world.pins(), Vec::<String>::new());
    // The remedy, followed.
    fs::remove_file(state.join("history.jsonl")).unwrap();
    scene.apply().ends(0);
    fs::remove_file(state.join("history.jsonl")).unwrap();
    run(Command::new("mkfifo").arg(state.join("history.jsonl"))).ends(0);
    let said = "history.jsonl` is not a regular file";
    assert!(scene.world.lrpc(&["history"]).ends(2).stderr.contains(said));
    scene.redirects();
    // What is only memory keeps nothing loaded.
    assert!(scene.world.lrpc(&["unload"]).ends(0).stderr.contains(said));
    assert!(since.elapsed() < Duration::from_secs(10), "something waited");
    scene.world.lrpc(&["status"]).ends(1);
}

fn what_was_damaged_is_mended_by_the_next_apply() {
    let scene = Scene::new();
    scene.apply().ends(0);
    let state = scene.world.sandbox.state();
    let mut files = content(&state.join("images"));
    files.extend(content(&state.join("generations")));
    assert_eq!(files.len(), 2);
    for file in files.keys() {
        fs::write(file, "").unwrap();
    }
    assert_eq!(scene.apply().ends(0).json()["changed"], false);
    for (file, before) in files {
        assert_eq!(fs::read(&file).ok(), before, "{file}");
    }
}

fn two_instances_do_not_share_a_memory() {
    let scene = Scene::new();
    let (one, two) = (scene.world.sandbox.bpffs(), scene.world.sandbox.bpf_mount().join("two"));
    let state = scene.world.sandbox.state();
    scene.apply_on(&one, &state).ends(0);
    let before = content(&state);
    let refused = scene.apply_on(&two, &state).ends(2).stderr;
    for word in [&*one.to_string_lossy(), "is the state of the instance", "--state"] {
        assert!(refused.contains(word), "`{word}` is missing in: {refused}");
    }
    assert!(content(&state) == before);
    scene.redirects();
    // The first one under another path, as a container may see it.
    let elsewhere = scene.world.sandbox.folder().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    run(Command::new("mount").arg("--bind").arg(scene.world.sandbox.bpf_mount()).arg(&elsewhere)).ends(0);
    let seen = scene.apply_on(&elsewhere.join("lrpc"), &state);
    run(Command::new("umount").arg(&elsewhere)).ends(0);
    seen.ends(0);
    // After its unload the state is free for another.
    scene.on(&one, &state, &["unload"]).ends(0);
    scene.apply_on(&two, &state).ends(0);
    scene.redirects();
    scene.on(&two, &state, &["unload"]).ends(0);
}

fn a_state_folder_that_a_stranger_can_change_is_refused() {
    let scene = Scene::new();
    let (folder, bpffs) = (scene.world.sandbox.folder(), scene.world.sandbox.bpffs());
    let set_mode = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let open = folder.join("open");
    fs::create_dir(&open).unwrap();
    for (mode, state) in [(0o777, open.clone()), (0o777, open.join("lrpc")), (0o1777, open.clone())] {
        set_mode(&open, mode);
        let refused = scene.apply_on(&bpffs, &state).ends(2).stderr;
        assert!(refused.contains("open` cannot be trusted: it can be written by everyone"), "{refused}");
    }
    for made in ["mkdir theirs", "ln -s / theirs"] {
        let mut stranger = Command::new("setpriv");
        stranger.args(["--reuid", "54321", "--regid", "54321", "--clear-groups", "--bounding-set", "-all"]);
        set_mode(folder, 0o755);
        run(stranger.args(["sh", "-c", made]).current_dir(&open)).ends(0);
        for state in [open.join("theirs"), open.join("theirs/lrpc")] {
            let refused = scene.apply_on(&bpffs, &state).ends(2).stderr;
            assert!(refused.contains("theirs` cannot be trusted: it belongs to user 54321"), "{refused}");
        }
        fs::remove_dir(open.join("theirs")).or_else(|_| fs::remove_file(open.join("theirs"))).unwrap();
    }
    assert_eq!(scene.world.pins(), Vec::<String>::new());
    // Beside what others have there, a folder of our own will do.
    let mut umask = Command::new("sh");
    umask.args(["-c", r#"umask 0 && exec "$@""#, "sh", lrpc(), "apply", &scene.image]);
    umask
        .args(["--inventory", &scene.inventory, "--node", NODE, "--cgroup"])
        .arg(scene.world.sandbox.cgroup());
    run(umask.arg("--bpffs").arg(&bpffs).arg("--state").arg(open.join("lrpc"))).ends(0);
    for (path, content) in content(&open) {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, if content.is_some() { 0o600 } else { 0o700 }, "{path}");
    }
    scene.on(&bpffs, &open.join("lrpc"), &["unload"]).ends(0);
}

fn a_read_only_bpffs_can_be_looked_at() {
    let scene = Scene::new();
    scene.apply().ends(0);
    let mount = scene.world.sandbox.bpf_mount();
    run(Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&mount)).ends(0);
    let looked =
        [&["status"][..], &["verify"], &["dump"], &["history"]].map(|command| scene.world.lrpc(command));
    run(Command::new("mount").args(["-o", "remount,rw,bind"]).arg(&mount)).ends(0);
    for run in looked {
        run.ends(0);
    }
}

/// What is loaded remembers its state directory: a command that names another says so, and writes nothing there.
fn a_second_history_is_not_written() {
    let scene = Scene::new();
    let bpffs = scene.world.sandbox.bpffs();
    let (one, other) = (scene.world.sandbox.folder().join("one"), scene.world.sandbox.folder().join("other"));
    scene.apply_on(&bpffs, &one).ends(0);
    for refused in [
        scene.apply_on(&bpffs, &other),
        scene.on(&bpffs, &other, &["rollback"]),
        scene.on(&bpffs, &other, &["history"]),
    ] {
        let said = refused.ends(2).stderr;
        assert!(said.contains(&format!("--state {}", one.display())), "{said}");
    }
    assert!(!other.exists());
    scene.redirects();
    // Where the first is gone there is nothing to be half of.
    fs::remove_dir_all(&one).unwrap();
    scene.apply_on(&bpffs, &other).ends(0);
}
