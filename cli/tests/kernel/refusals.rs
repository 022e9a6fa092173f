//! Bad input and hostile surroundings: a clear error with what to do, and nothing changed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::Test;
use crate::world::{NODE, Run, World, address_policy, guide_policy};

pub(crate) const TESTS: &[Test] = &[
    ("a_damaged_image_is_refused_before_a_map_is_made", a_damaged_image_is_refused_before_a_map_is_made),
    ("an_unknown_node_is_refused", an_unknown_node_is_refused),
    ("a_folder_that_is_no_cgroup_is_refused", a_folder_that_is_no_cgroup_is_refused),
    ("a_folder_that_is_no_bpffs_is_refused", a_folder_that_is_no_bpffs_is_refused),
    ("a_containers_own_cgroup_tree_is_refused", a_containers_own_cgroup_tree_is_refused),
    ("a_machine_without_cgroup2_is_refused", a_machine_without_cgroup2_is_refused),
    ("the_pure_commands_want_no_rights", the_pure_commands_want_no_rights),
    ("what_this_version_lacks_is_refused", what_this_version_lacks_is_refused),
    ("who_cannot_be_told_apart_refuses_the_whole_image", who_cannot_be_told_apart_refuses_the_whole_image),
    ("warnings_can_be_denied", warnings_can_be_denied),
    ("a_node_that_is_another_machine_is_told", a_node_that_is_another_machine_is_told),
];

/// Asserts a refusal that says these words, and that nothing was pinned.
#[track_caller]
fn refused(world: &World, run: Run, code: i32, words: &[&str]) {
    let run = run.ends(code);
    for word in words {
        assert!(run.stderr.contains(word), "`{word}` is missing in: {}", run.stderr);
    }
    assert_eq!(world.pins(), Vec::<String>::new(), "something was pinned");
}

fn a_damaged_image_is_refused_before_a_map_is_made() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let image = world.image("guide", &guide_policy(80));
    let whole = fs::read(&image).unwrap();
    for bit in (0..whole.len() * 8).step_by(97) {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(&image, damaged).unwrap();
        refused(&world, world.apply(&image, &inventory, &[]), 2, &["is not a valid image"]);
    }
}

fn an_unknown_node_is_refused() {
    let world = World::new();
    let inventory = world.inventory(&[]);
    let image = world.image("guide", &guide_policy(80));
    let run = world.lrpc(&["apply", &image, "--inventory", &inventory, "--node", "worker-9"]);
    refused(&world, run, 2, &["worker-9", NODE]);
}

fn a_folder_that_is_no_cgroup_is_refused() {
    let world = World::new();
    let inventory = world.inventory(&[]);
    let image = world.image("guide", &guide_policy(80));
    let folder = world.sandbox.folder().display().to_string();
    let (bpffs, state) = (world.sandbox.bpffs(), world.sandbox.state());
    let run = crate::world::run(
        std::process::Command::new(crate::world::lrpc())
            .args([
                "apply",
                &image,
                "--inventory",
                &inventory,
                "--node",
                NODE,
                "--cgroup",
                &folder,
                "--bpffs",
            ])
            .arg(bpffs)
            .arg("--state")
            .arg(state),
    );
    refused(&world, run, 2, &[&folder, "cgroup"]);
}

fn a_folder_that_is_no_bpffs_is_refused() {
    let world = World::new();
    let inventory = world.inventory(&[]);
    let image = world.image("guide", &guide_policy(80));
    let folder = world.sandbox.folder().join("elsewhere");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("kept"), "kept").unwrap();
    let mut command = std::process::Command::new("setpriv");
    command.args(["--bounding-set", "-all,+bpf,+net_admin", crate::world::lrpc(), "apply", &image]);
    command.args(["--inventory", &inventory, "--node", NODE]).arg("--cgroup").arg(world.sandbox.cgroup());
    command.arg("--bpffs").arg(&folder).arg("--state").arg(world.sandbox.state());
    refused(&world, crate::world::run(&mut command), 2, &["bpffs", "mount"]);
    assert_eq!(fs::read_to_string(folder.join("kept")).unwrap(), "kept");
}

/// In a cgroup namespace the mounted root is not the host's: the default would redirect the container
/// alone. A dry run is enough to see the refusal, and could attach nothing to the host if there were none.
fn a_containers_own_cgroup_tree_is_refused() {
    let world = World::new();
    let inventory = world.inventory(&[]);
    let image = world.image("guide", &guide_policy(80));
    let mount = world.sandbox.folder().join("cgroup");
    fs::create_dir(&mount).unwrap();
    let container = r#"umount --lazy "$1" && mount -t cgroup2 none "$2" && shift 2 && exec "$@""#;
    let mut command = std::process::Command::new("sh");
    command.args(["-c", r#"echo $$ > "$0/cgroup.procs" && exec unshare --cgroup --mount sh -c "$@""#]);
    command.arg(world.sandbox.cgroup()).arg(container).arg("sh");
    command.arg(world.sandbox.cgroup().parent().unwrap()).arg(&mount);
    command.args([
        crate::world::lrpc(),
        "apply",
        &image,
        "--inventory",
        &inventory,
        "--node",
        NODE,
        "--dry-run",
    ]);
    command.arg("--bpffs").arg(world.sandbox.bpffs()).arg("--state").arg(world.sandbox.state());
    let shown = mount.display().to_string();
    refused(&world, crate::world::run(&mut command), 2, &[&shown, "the host's /sys/fs/cgroup", "--cgroup"]);
}

fn a_machine_without_cgroup2_is_refused() {
    let world = World::new();
    let inventory = world.inventory(&[]);
    let image = world.image("guide", &guide_policy(80));
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "sh", "-c", r#"umount --lazy "$0" && exec "$@""#]);
    command.arg(world.sandbox.cgroup().parent().unwrap());
    command.args([
        crate::world::lrpc(),
        "apply",
        &image,
        "--inventory",
        &inventory,
        "--node",
        NODE,
        "--dry-run",
    ]);
    command.arg("--bpffs").arg(world.sandbox.bpffs()).arg("--state").arg(world.sandbox.state());
    refused(&world, crate::world::run(&mut command), 2, &["no cgroup2", "mount -t cgroup2"]);
}

/// Nobody, with no capability and neither /sys nor /proc, checks, compiles, inspects and links.
fn the_pure_commands_want_no_rights() {
    let world = World::new();
    let (policy, inventory) = (world.file("p.yaml", &guide_policy(80)), world.inventory(&[]));
    let image = world.image("guide", &guide_policy(80));
    let policy = policy.display().to_string();
    // Nobody may not reach the checkout, wherever that is.
    let lrpc = world.sandbox.folder().join("lrpc");
    // Not written by this process: another test that forks now would hold it open for writing.
    let mut copy = std::process::Command::new("cp");
    crate::world::run(copy.arg(crate::world::lrpc()).arg(&lrpc)).ends(0);
    fs::set_permissions(world.sandbox.folder(), PermissionsExt::from_mode(0o777)).unwrap();
    let out = world.sandbox.folder().join("out.lrpc").display().to_string();
    for arguments in [
        &["check", &policy][..],
        &["compile", &policy, "-o", &out],
        &["inspect", &image],
        &["link", &image, "--inventory", &inventory, "--node", NODE],
    ] {
        let mut command = std::process::Command::new("unshare");
        let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --no-new-privs";
        let script = format!(r#"umount --lazy /sys && mount -t tmpfs none /proc && exec {nobody} "$@""#);
        command.args(["--mount", "sh", "-c", &script, "sh"]).arg(&lrpc).args(arguments);
        crate::world::run(&mut command).ends(0);
    }
}

fn what_this_version_lacks_is_refused() {
    let world = World::new();
    let inventory = world.inventory(&[]);
    let image = world.image("guide", &guide_policy(80));
    refused(&world, world.apply(&image, &inventory, &["--mode", "pods-only"]), 2, &["not in this version"]);
    let closing = world.apply(&image, &inventory, &["--audit", "--existing", "close"]);
    refused(&world, closing, 2, &["--audit", "--existing close"]);
}

/// L6, L8: where somebody cannot be told from others, nothing of the image is loaded: neither a boundary by half nor
/// a backend that is redirected to itself.
fn who_cannot_be_told_apart_refuses_the_whole_image() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let skip = guide_policy(80).replace("name: metadata", "name: skip").replace("8080", "8081")
        + "  skipRedirectFromBackend: true\n";
    let drop = "lrpc.dev/fallback: drop, lrpc.dev/clients: all-pods";
    let closed = address_policy("closed", ("169.254.1.1", 80, "TCP"), 80, drop);
    for (name, policy, words) in
        [("skip", skip, ["default/proxy", "default/skip"]), ("closed", closed, ["default/closed", "kubelet"])]
    {
        let manifests = guide_policy(80) + "---\n" + &policy;
        let run = world.apply(&world.image(name, &manifests), &inventory, &[]);
        refused(&world, run, 2, &words);
    }
}

fn warnings_can_be_denied() {
    let world = World::new();
    let inventory = world.inventory(&[]);
    let image = world.image("guide", &guide_policy(80));
    refused(&world, world.apply(&image, &inventory, &["--deny-warnings"]), 1, &["deny-warnings"]);
}

fn a_node_that_is_another_machine_is_told() {
    let world = World::new();
    let inventory = world.inventory(&[("proxy", "10.244.1.10", &[80])]);
    let image = world.image("guide", &guide_policy(80));
    let nameless = fs::read_to_string(&inventory).unwrap();
    for (address, is_told) in [("198.51.100.7", true), ("127.0.0.1", false)] {
        let status = format!("status: {{addresses: [{{type: InternalIP, address: {address}}}]}}\n---\n");
        fs::write(&inventory, nameless.replacen("---\n", &status, 1)).unwrap();
        let run = world.apply(&image, &inventory, &["--dry-run"]).ends(0);
        assert_eq!(run.stdout.contains("node-not-here"), is_told, "{address}: {}", run.stdout);
    }
}
